"""Which kubeconfig is taken."""

from __future__ import annotations

from pathlib import Path

import pytest

from va_cli.failures import Failure, WrongUsage
from va_cli.kubeconfig import K3S, kubeconfig_path

HOME = Path("/home/ada")
OWN = HOME / ".kube" / "config"


def chosen(*there: Path | str, option: str | None = None, variable: str | None = None) -> str:
    known = {Path(path) for path in there}
    return kubeconfig_path(option, variable=variable, home=HOME, exists=known.__contains__)


def test_the_order() -> None:
    everything: list[Path | str] = ["/option", "/variable", OWN, K3S]
    assert chosen(*everything, option="/option", variable="/variable") == "/option"
    assert chosen(*everything, variable="/variable") == "/variable"
    assert chosen(*everything) == str(OWN)
    assert chosen(K3S) == str(K3S)


def test_several_files_are_passed_on_if_one_is_there() -> None:
    assert chosen("/b", variable="/a:/b") == "/a:/b"


def test_what_the_user_names_must_exist() -> None:
    with pytest.raises(WrongUsage, match="--kubeconfig must name a file"):
        chosen(OWN, option="/option")
    with pytest.raises(Failure, match="KUBECONFIG names no file"):
        chosen(OWN, variable="/a:/b")


def test_none_at_all() -> None:
    with pytest.raises(Failure, match="none of --kubeconfig, KUBECONFIG"):
        chosen()
