"""Deploy, undeploy and delete a tuned model: written down before the vendor is asked.

What was asked and got no certain answer stays in the ledger as ``starting``, ``uncertain`` or
``stopping``, since it may be on the bill; asking again is safe and settles it.
"""

from __future__ import annotations

from decimal import Decimal

from ftbridge.cost.estimate import estimate
from ftbridge.cost.prices import PriceBook
from ftbridge.errors import (
    BudgetRefused,
    FtbridgeError,
    OperationFailed,
    Unsupported,
    UsageError,
    VendorError,
)
from ftbridge.jobs.ledger import Ledger
from ftbridge.jobs.ledger.deployments import DeploymentRow, DeploymentState, ModelKey
from ftbridge.jobs.ledger.reservations import micro
from ftbridge.jobs.retry import patiently
from ftbridge.provider import Provider


def usd_per_hour(provider: Provider, base: str, book: PriceBook, method: str) -> Decimal | None:
    """What an hour of a deployment costs in USD; None where that is not known, 0 where nothing
    is billed by the hour.

    Raises:
        Unsupported: where the provider has no deployments.
    """
    if not provider.supports("deploy"):
        raise provider.unsupported("deploy")
    usd = estimate(book, provider.name, base, method, provider.hosting(base))
    return None if usd.unknown else usd.high


def require_known(rate: Decimal | None, allowed: bool) -> None:
    """Raise BudgetRefused where nobody knows what an hour costs, unless that is allowed."""
    if rate is None and not allowed:
        raise BudgetRefused(
            "what an hour of this deployment costs is not known",
            hint="allow that with --allow-unknown-cost, or set a price of hosting_hour in "
            "config.toml",
            where="usd_per_hour",
            code="unknown_cost",
        )


def deploy(
    key: ModelKey, provider: Provider, ledger: Ledger, rate: Decimal | None
) -> DeploymentRow:
    """Make a tuned model answer. The vendor is asked again where it should be running already:
    it may have ended there.

    Args:
        rate: USD an hour, as it was shown to the person; None where it is not known.

    Raises:
        Unsupported: where the provider has no deployments.
        ProviderError: what the vendor or the network said. Where it may have been carried out,
            the deployment stays in the ledger as ``uncertain``.
    """
    if not provider.supports("deploy"):
        raise provider.unsupported("deploy")
    provider.require_ready()
    row, known = ledger.deployments.begin(key, micro(rate))
    try:
        name = patiently(provider, provider.deploy, key.name)
    except FtbridgeError as error:
        if _surely_refused(error) and not known:
            ledger.deployments.move(row.id, DeploymentState.FAILED)
        else:
            ledger.deployments.move(row.id, DeploymentState.UNCERTAIN)
            _tell(error, key)
        raise
    return ledger.deployments.move(row.id, DeploymentState.RUNNING, name)


def undeploy(key: ModelKey, provider: Provider, ledger: Ledger) -> DeploymentRow | None:
    """Stop a model's deployment and its bill, one that the ledger does not know of too.

    Returns:
        What ended, as the ledger knew it.

    Raises:
        Unsupported: where the provider has no deployments.
        ProviderError: what the vendor or the network said; the bill may go on.
    """
    if not provider.supports("undeploy"):
        raise provider.unsupported("undeploy")
    provider.require_ready()
    row = ledger.deployments.open(key)
    if row:
        ledger.deployments.move(row.id, DeploymentState.STOPPING)
    patiently(provider, provider.undeploy, key.name)
    return ledger.deployments.move(row.id, DeploymentState.ENDED) if row else None


def delete_model(key: ModelKey, provider: Provider, ledger: Ledger) -> None:
    """Delete a tuned model at the vendor for good; the job stays in the ledger.

    Raises:
        Unsupported: where the vendor cannot.
        OperationFailed: where it is deployed.
        ProviderError: what the vendor or the network said.
    """
    if not provider.supports("delete_model"):
        raise provider.unsupported("delete_model")
    if row := ledger.deployments.open(key):
        raise OperationFailed(
            f"{key.name} is deployed ({row.state})",
            hint=f"stop that first with `ftbridge undeploy {_reference(key)}`",
            where=key.name,
            code="deployed",
        )
    provider.require_ready()
    ledger.deployments.mark_deleted(key)
    try:
        patiently(provider, provider.delete_model, key.name)
    except FtbridgeError:
        ledger.deployments.mark_deleted(key, deleted=False)
        raise


def _surely_refused(error: FtbridgeError) -> bool:
    """Whether nothing was deployed: the vendor said no, or was not asked.

    Other refusals may come while a deployment that was made is waited for.
    """
    said_no = isinstance(error, VendorError) and error.status in (400, 403, 422)
    return said_no or isinstance(error, UsageError | Unsupported)


def _tell(error: FtbridgeError, key: ModelKey) -> None:
    way = (
        f"it may run and be billed: `ftbridge deploy {_reference(key)}` once more, or "
        f"`ftbridge undeploy {_reference(key)}`"
    )
    error.hint = "; ".join(part for part in (error.hint, way) if part)


def _reference(key: ModelKey) -> str:
    return key.job_id or f"{key.provider}:{key.name}"
