"""The shipped configuration with one policy changed, to test whether that is looser."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from callserver.adapters.config_folder import load
from callserver.domain.configuration import Configuration
from callserver.domain.loosening import looser
from callserver.domain.policy import Policy, merged

SHIPPED = load(Path(__file__).parents[2] / "config")
DK = SHIPPED.policies["dk"].model_dump(mode="json", by_alias=True)


def policy(change: Mapping[str, Any], base: Mapping[str, Any] = DK) -> Policy:
    return Policy.model_validate(merged(dict(base), dict(change)))


def with_policy(policy: Policy, campaign: str = "kanvas") -> Configuration:
    """The shipped configuration, in which one policy is another."""
    del campaign
    return replace(SHIPPED, policies={**SHIPPED.policies, "dk": policy})


def loosened_keys(was: Policy, would: Policy) -> list[str]:
    return [case.key for case in looser(with_policy(was), with_policy(would))]
