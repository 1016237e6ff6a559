"""What the Service must look like; no cluster is needed to say so."""

from hypothesis import given
from hypothesis import strategies as st

from support.builders import IMAGES, an_assistant
from va_operator.resources.deployment import build_deployment
from va_operator.resources.metadata import labels_for
from va_operator.resources.service import build_service, ports_as_sent

dns_labels = st.from_regex(r"[a-z]([-a-z0-9]{0,40}[a-z0-9])?", fullmatch=True)


def test_the_node_port_is_left_to_the_api_server() -> None:
    [port] = build_service(an_assistant())["spec"]["ports"]
    assert port == {"name": "http", "protocol": "TCP", "port": 80, "targetPort": "http"}


def test_a_node_port_that_is_asked_for_is_sent() -> None:
    [port] = build_service(an_assistant(service={"nodePort": 30080}))["spec"]["ports"]
    assert port["nodePort"] == 30080


def test_type_port_and_annotations_are_those_of_the_spec() -> None:
    wanted = {"type": "LoadBalancer", "port": 8080, "annotations": {"a/b": "c"}}
    service = build_service(an_assistant(service=wanted))

    assert service["spec"]["type"] == "LoadBalancer"
    assert service["spec"]["ports"][0]["port"] == 8080
    assert service["metadata"]["annotations"] == {"a/b": "c"}


def test_without_annotations_none_are_owned() -> None:
    assert "annotations" not in build_service(an_assistant())["metadata"]


def test_questions_go_to_the_port_of_the_pods_that_has_its_name() -> None:
    template = build_deployment(an_assistant(), "0123456789", IMAGES)["spec"]["template"]
    names = [port["name"] for port in template["spec"]["containers"][0]["ports"]]
    assert build_service(an_assistant())["spec"]["ports"][0]["targetPort"] in names


@given(name=dns_labels)
def test_a_service_selects_the_pods_of_its_own_assistant_only(name: str) -> None:
    mine, other = an_assistant(name), an_assistant(f"{name}-b")
    selector = build_service(mine)["spec"]["selector"].items()

    assert selector <= labels_for(mine).items()
    assert not selector <= labels_for(other).items()


def test_children_have_the_recommended_labels() -> None:
    labels = build_service(an_assistant())["metadata"]["labels"]
    assert set(labels) == {
        f"app.kubernetes.io/{name}"
        for name in ("name", "instance", "component", "part-of", "managed-by", "version")
    }


def test_ports_are_reset_to_ours_with_the_node_port_that_was_allotted() -> None:
    [port] = build_service(an_assistant())["spec"]["ports"]
    patch = ports_as_sent(build_service(an_assistant()), 30123)
    assert patch == {"spec": {"ports": [{**port, "nodePort": 30123}]}}

    asked = an_assistant(service={"nodePort": 30080})
    assert ports_as_sent(build_service(asked), 30123)["spec"]["ports"][0]["nodePort"] == 30080
    inside = an_assistant(service={"type": "ClusterIP"})
    assert "nodePort" not in ports_as_sent(build_service(inside), None)["spec"]["ports"][0]
