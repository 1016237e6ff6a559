"""Who may reach the pods, and whom they may reach."""

from typing import Any

import pytest

from support.builders import IMAGES, an_assistant
from va_operator.api import Manifest
from va_operator.resources.deployment import build_deployment
from va_operator.resources.metadata import metadata_for, selector_for
from va_operator.resources.network_policy import build_network_policy

DNS = {"ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]}


def policy(*egress: Manifest) -> Any:
    return build_network_policy(an_assistant(networkPolicy={"egress": list(egress)}))["spec"]


def test_questions_are_let_in_and_everything_out() -> None:
    ada = an_assistant()
    assert build_network_policy(ada) == {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata_for(ada),
        "spec": {
            "podSelector": {"matchLabels": selector_for(ada)},
            "policyTypes": ["Ingress"],
            "ingress": [
                {"ports": [{"protocol": "TCP", "port": 8000}]},
                {
                    "from": [{"namespaceSelector": {}}],
                    "ports": [{"protocol": "TCP", "port": 8001}],
                },
            ],
        },
    }


def test_every_port_of_the_pods_is_let_in_and_no_other() -> None:
    template = build_deployment(an_assistant(), "0123456789", IMAGES)["spec"]["template"]
    ports = [port["containerPort"] for port in template["spec"]["containers"][0]["ports"]]
    let_in = build_network_policy(an_assistant())["spec"]["ingress"]
    assert [port["port"] for rule in let_in for port in rule["ports"]] == ports


@pytest.mark.parametrize("given", [{}, {"egress": None}], ids=["empty", "null"])
def test_a_policy_that_says_nothing_leaves_all_ways_out_open(given: Manifest) -> None:
    spec = build_network_policy(an_assistant(networkPolicy=given))["spec"]
    assert spec["policyTypes"] == ["Ingress"]
    assert "egress" not in spec


def test_an_empty_list_leaves_nothing_but_dns() -> None:
    assert policy()["policyTypes"] == ["Ingress", "Egress"]
    assert policy()["egress"] == [DNS]


def test_a_block_of_addresses_is_reached_on_its_ports() -> None:
    assert policy({"cidr": "10.0.0.0/8", "ports": [443, 8443]})["egress"] == [
        DNS,
        {
            "to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}],
            "ports": [{"protocol": "TCP", "port": 443}, {"protocol": "TCP", "port": 8443}],
        },
    ]


def test_a_namespace_is_told_by_the_label_that_the_api_server_gives() -> None:
    peer = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "models"}}}
    assert policy({"namespace": "models"})["egress"] == [DNS, {"to": [peer]}]
