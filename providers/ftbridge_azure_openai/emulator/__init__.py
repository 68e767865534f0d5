"""An emulator of Azure OpenAI's fine-tuning and of ARM's deployments, on one address.

Data plane: ``/openai/...?api-version=`` (classic) and ``/openai/v1/...``, with the header
``api-key`` or an Entra token as Bearer. Control plane:
``/subscriptions/{}/resourceGroups/{}/providers/Microsoft.CognitiveServices/accounts/{}/
deployments[/{name}]`` with a Bearer token only. Inference goes by deployment name.

Written before the adapter's tests and without its source. Sources, seen 2026-11-24:
``openai`` 3.57.0 (``openai.lib.azure``: paths, headers, query); MicrosoftDocs/azure-ai-docs
(fine-tuning-rest.md, fine-tuning-cost-management.md @3e1d6f3c: trainingType, paused RFT at the
billing cap, 15 days of idleness); the shapes of files and jobs are those of
`ftbridge.testing.openai_wire`.

No call was made to Azure. Unverified, and so a likeness only: the wording and most codes of
errors; that job states are ``pending, running, paused, succeeded, failed, cancelled``; that an
imported file is ``pending`` for a while and a job on it is refused with 400; the status codes
of DELETE (classic file: 204; deployment: 202); that ``suffix`` is at most 18 characters; which
provisioning states are shown on the way (``Creating``, ``Deleting``); whether sku names are
compared with case. Not emulated: quotas, content filters, PTUs, the deletion of idle or of
developer deployments, roles.
"""

from .app import JOB_TIMELINE, SANDBOX_TOKEN, create_app
from .store import AzureStore, Deployment

__all__ = ["JOB_TIMELINE", "SANDBOX_TOKEN", "AzureStore", "Deployment", "create_app"]
