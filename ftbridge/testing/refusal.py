"""The public suite for a provider that trains nothing: its catalogue says why (``[nothing]``).

class TestMine(TrainsNothing):
    @pytest.fixture
    def provider(self, tmp_path: Path) -> Provider:
        return MyProvider(Context(tmp_path))
"""

from __future__ import annotations

from pathlib import Path

import pytest

from ftbridge.bridge import Bridge
from ftbridge.errors import Unsupported
from ftbridge.jobs.spec import Method
from ftbridge.provider import OPERATIONS, Provider
from ftbridge.testing.conformance import Declares


class TrainsNothing(Declares):
    """Its operations, plans, comparison and doctor all give the catalogue's reason."""

    def test_the_reason_is_complete(self, provider: Provider) -> None:
        why = provider.catalogue().nothing
        assert why and why.message and why.hint and why.source and why.as_of
        assert set(provider.absent) == set(OPERATIONS)

    @pytest.mark.parametrize("method", list(Method))
    @pytest.mark.parametrize("model", [None, "some-model"])
    def test_a_plan_is_refused_before_anything_is_read(
        self, provider: Provider, method: Method, model: str | None
    ) -> None:
        why = provider.catalogue().nothing
        with pytest.raises(Unsupported) as caught:
            Bridge().plan("no-such-file", provider=provider.name, method=method, model=model)
        assert why and why.message in caught.value.message and caught.value.hint == why.hint
        assert why.as_of.isoformat() in caught.value.message and caught.value.exit_code == 4

    def test_it_is_left_out_of_a_comparison_with_its_reason(
        self, provider: Provider, data: Path
    ) -> None:
        found = Bridge().compare(data)
        reasons = [item.reason for item in found.excluded if item.provider == provider.name]
        why = provider.catalogue().nothing
        assert why and len(reasons) == 1 and why.message in reasons[0]

    def test_doctor_says_so(self, provider: Provider) -> None:
        (check,) = provider.doctor()
        assert check.ok is False and check.message and check.hint
