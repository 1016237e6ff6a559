"""What the pods look like: one side of `docs/reference/pod-contract.md`."""

import json
from typing import Any

import pytest

from support.builders import EVERYTHING, IMAGES, OPENAI, an_assistant
from va_operator.api import Manifest, VirtualAssistant
from va_operator.resources.deployment import build_deployment, with_replicas
from va_operator.resources.pod_template import LIMITS
from va_operator.template_stamp import stamp_in

REVISION = "3f2a91c0de"


def built(assistant: VirtualAssistant) -> Manifest:
    return build_deployment(assistant, REVISION, IMAGES)


def pod(assistant: VirtualAssistant) -> Manifest:
    spec: Manifest = built(assistant)["spec"]["template"]["spec"]
    return spec


def containers(assistant: VirtualAssistant) -> list[Manifest]:
    spec = pod(assistant)
    return [*spec.get("initContainers", []), *spec["containers"]]


def env(container: Manifest) -> dict[str, str]:
    return {item["name"]: item.get("value", "") for item in container["env"]}


def mounts(container: Manifest) -> dict[str, Manifest]:
    return {item["mountPath"]: item for item in container["volumeMounts"]}


both = pytest.mark.parametrize(
    "assistant", [an_assistant(), an_assistant(model=OPENAI)], ids=["embedded", "openai"]
)


def test_the_deployment_has_the_assistants_name_and_owner() -> None:
    metadata = built(an_assistant())["metadata"]

    assert (metadata["name"], metadata["namespace"]) == ("ada", "shop")
    assert metadata["ownerReferences"] == [
        {
            "apiVersion": "virtualassistant.dev/v1alpha1",
            "kind": "VirtualAssistant",
            "name": "ada",
            "uid": "0000-ada",
            "controller": True,
            "blockOwnerDeletion": False,
        }
    ]


def test_it_has_as_many_pods_as_are_asked_for() -> None:
    assert built(an_assistant(replicas=3))["spec"]["replicas"] == 3
    assert built(an_assistant(replicas=3, suspend=True))["spec"]["replicas"] == 0


def test_no_question_is_lost_in_a_rollout() -> None:
    spec = built(an_assistant())["spec"]

    assert spec["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1},
    }
    assert spec["template"]["spec"]["containers"][0]["lifecycle"]["preStop"]["exec"] == {
        "command": ["sleep", "5"]
    }


def test_the_selector_is_small_and_its_labels_are_on_the_pods() -> None:
    spec = built(an_assistant())["spec"]
    selector = spec["selector"]["matchLabels"]

    assert selector == {
        "app.kubernetes.io/name": "virtual-assistant",
        "app.kubernetes.io/instance": "ada",
    }
    assert selector.items() <= spec["template"]["metadata"]["labels"].items()
    assert spec["template"]["metadata"]["labels"]["virtualassistant.dev/revision"] == REVISION


def test_a_new_version_of_the_operator_restarts_no_pod() -> None:
    labels = built(an_assistant())["spec"]["template"]["metadata"]["labels"]
    assert "app.kubernetes.io/version" not in labels


@both
def test_the_pods_meet_the_restricted_standard_and_more(assistant: VirtualAssistant) -> None:
    spec = pod(assistant)

    assert spec["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "runAsGroup": 65532,
        "fsGroup": 65532,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False
    for container in containers(assistant):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert set(container["resources"]) == {"requests", "limits"}
        assert "cpu" not in container["resources"]["limits"]
    assert {next(iter(set(volume) - {"name"})) for volume in spec["volumes"]} <= {
        "configMap",
        "emptyDir",
        "secret",
    }


def test_the_environment_is_what_the_contract_says() -> None:
    [container] = pod(an_assistant(model={**OPENAI, "timeoutSeconds": 30}))["containers"]

    assert container["name"] == "assistant"
    assert container["image"] == IMAGES.assistant
    assert env(container) == {
        "VA_ASSISTANT_REVISION": REVISION,
        "VA_ASSISTANT_REVISION_DIR": "/etc/virtual-assistant/revision",
        "VA_ASSISTANT_API_KEY_FILE": "/etc/virtual-assistant/api-key/apiKey",
        "VA_ASSISTANT_DRAIN_SECONDS": "30",
    }


def test_without_a_key_there_is_no_key_file() -> None:
    spec = pod(an_assistant())
    [container] = spec["containers"]

    assert "VA_ASSISTANT_API_KEY_FILE" not in env(container)
    assert set(mounts(container)) == {"/etc/virtual-assistant/revision", "/tmp"}
    assert [volume["name"] for volume in spec["volumes"]] == ["revision", "tmp"]


def test_the_revision_and_the_key_are_mounted_as_folders() -> None:
    spec = pod(an_assistant(model=OPENAI))
    found = mounts(spec["containers"][0])
    volumes = {volume["name"]: volume for volume in spec["volumes"]}

    assert found["/etc/virtual-assistant/revision"]["readOnly"] is True
    assert found["/etc/virtual-assistant/api-key"]["readOnly"] is True
    assert not any("subPath" in mount for mount in found.values())
    assert volumes["revision"]["configMap"] == {"name": f"ada-{REVISION}"}
    assert volumes["api-key"]["secret"] == {"secretName": "openai", "optional": True}
    assert volumes["tmp"]["emptyDir"] == {"medium": "Memory", "sizeLimit": "16Mi"}


def test_tokens_are_mounted_as_a_folder_and_read_by_nobody_else() -> None:
    auth = {"tokenSecretRef": {"name": "ada-token", "key": "tokens"}}
    spec = pod(an_assistant(auth=auth))
    [container] = spec["containers"]
    [model] = spec["initContainers"]
    [volume] = [volume for volume in spec["volumes"] if volume["name"] == "token"]

    assert env(container)["VA_ASSISTANT_TOKEN_FILE"] == "/etc/virtual-assistant/token/tokens"
    assert volume["secret"] == {"secretName": "ada-token", "optional": True}
    assert mounts(container)["/etc/virtual-assistant/token"] == {
        "name": "token",
        "mountPath": "/etc/virtual-assistant/token",
        "readOnly": True,
    }
    assert "/etc/virtual-assistant/token" not in mounts(model)


def test_limits_reach_the_pods_only_where_they_are_set() -> None:
    def said(limits: Manifest) -> Manifest:
        [container] = pod(an_assistant(limits=limits))["containers"]
        return {name: value for name, value in env(container).items() if name not in plain}

    plain = env(pod(an_assistant())["containers"][0])
    assert not set(LIMITS.values()) & set(plain)
    assert said({}) == {}
    assert said({"requestsPerMinute": 0}) == {"VA_ASSISTANT_REQUESTS_PER_MINUTE": "0"}
    assert said({"allowedOrigins": ["https://a", "https://b"]}) == {
        "VA_ASSISTANT_ALLOWED_ORIGINS": '["https://a", "https://b"]'
    }


def test_a_budget_reaches_the_pods_only_where_it_is_set() -> None:
    def told(**spec: Manifest) -> str | None:
        [container] = pod(an_assistant(**spec))["containers"]
        return env(container).get("VA_ASSISTANT_TOKENS_PER_DAY")

    assert told() is None
    assert told(budget={}) is None
    assert told(budget={"tokensPerDay": 1_000_000}) == "1000000"


def test_each_fallback_has_the_folder_of_its_own_key() -> None:
    other = {**OPENAI, "apiKeySecretRef": {"name": "spare", "key": "token"}}
    keyless = {"name": "llama", "baseURL": "http://ollama/v1"}
    spec = pod(an_assistant(model=OPENAI, fallbacks=[keyless, other]))
    [container] = spec["containers"]
    volumes = {volume["name"]: volume for volume in spec["volumes"]}

    assert json.loads(env(container)["VA_ASSISTANT_FALLBACK_API_KEY_FILES"]) == [
        None,
        "/etc/virtual-assistant/api-key-2/token",
    ]
    assert env(container)["VA_ASSISTANT_API_KEY_FILE"] == ("/etc/virtual-assistant/api-key/apiKey")
    mount = mounts(container)["/etc/virtual-assistant/api-key-2"]
    assert mount["readOnly"] is True
    assert "subPath" not in mount
    assert volumes[mount["name"]]["secret"] == {"secretName": "spare", "optional": True}
    assert "/etc/virtual-assistant/api-key-1" not in mounts(container)


def test_a_private_ca_is_mounted_as_a_folder_that_may_be_missing() -> None:
    ca = {"name": "corporate", "key": "ca.crt"}
    spec = pod(an_assistant(model={**OPENAI, "caConfigMapRef": ca}))
    [container] = spec["containers"]
    volumes = {volume["name"]: volume for volume in spec["volumes"]}

    assert env(container)["VA_ASSISTANT_CA_FILE"] == "/etc/virtual-assistant/ca/ca.crt"
    assert "VA_ASSISTANT_FALLBACK_CA_FILES" not in env(container)
    assert mounts(container)["/etc/virtual-assistant/ca"] == {
        "name": "ca",
        "mountPath": "/etc/virtual-assistant/ca",
        "readOnly": True,
    }
    assert volumes["ca"]["configMap"] == {"name": "corporate", "optional": True}


def test_each_fallback_has_the_folder_of_its_own_ca() -> None:
    ca = {"name": "corporate", "key": "ca.crt"}
    local = {"name": "llama", "baseURL": "https://ollama/v1", "caConfigMapRef": ca}
    spec = pod(an_assistant(model=OPENAI, fallbacks=[{}, local]))
    [container] = spec["containers"]
    volumes = {volume["name"]: volume for volume in spec["volumes"]}

    assert "VA_ASSISTANT_CA_FILE" not in env(container)
    assert json.loads(env(container)["VA_ASSISTANT_FALLBACK_CA_FILES"]) == [
        None,
        "/etc/virtual-assistant/ca-2/ca.crt",
    ]
    mount = mounts(container)["/etc/virtual-assistant/ca-2"]
    assert mount["readOnly"] is True
    assert "subPath" not in mount
    assert volumes[mount["name"]]["configMap"] == {"name": "corporate", "optional": True}


def test_pods_without_a_private_ca_are_as_they_always_were() -> None:
    said = str(pod(an_assistant(model=OPENAI, fallbacks=[OPENAI, {}])))
    assert "CA_FILE" not in said
    assert "/etc/virtual-assistant/ca" not in said


def test_an_embedded_fallback_runs_beside_the_assistant_too() -> None:
    asked = {"requests": {"memory": "400Mi"}}
    fallback = {"provider": "Embedded", "contextWindow": 2048, "resources": asked}
    assistant = an_assistant(model=OPENAI, fallbacks=[fallback])
    [model] = pod(assistant)["initContainers"]

    assert env(model)["VA_MODEL_CONTEXT_WINDOW"] == "2048"
    assert model["resources"] == asked
    with_it = stamp_in(built(assistant))
    without = stamp_in(built(an_assistant(model=OPENAI)))
    assert with_it
    assert without
    assert with_it.images != without.images


def test_ports_and_probes_are_what_the_contract_says() -> None:
    [container] = pod(an_assistant())["containers"]

    assert {port["name"]: port["containerPort"] for port in container["ports"]} == {
        "http": 8000,
        "probes": 8001,
    }
    assert container["startupProbe"]["httpGet"] == {"path": "/health", "port": "probes"}
    assert container["livenessProbe"]["httpGet"] == {"path": "/health", "port": "probes"}
    assert container["readinessProbe"]["httpGet"] == {"path": "/ready", "port": "probes"}


def test_the_embedded_model_runs_beside_the_assistant() -> None:
    [model] = pod(an_assistant(model={"contextWindow": 4096}))["initContainers"]

    assert (model["name"], model["image"]) == ("model", IMAGES.model)
    assert model["restartPolicy"] == "Always"
    assert env(model) == {"VA_MODEL_CONTEXT_WINDOW": "4096", "VA_MODEL_THREADS": "1"}
    assert model["startupProbe"]["exec"]["command"] == ["va-model", "--check"]
    assert "ports" not in model


def test_another_model_brings_no_model_container() -> None:
    assert "initContainers" not in pod(an_assistant(model=OPENAI))


def test_the_grace_period_is_the_sleep_the_drain_and_five_seconds() -> None:
    assistant = an_assistant(model={"timeoutSeconds": 40})
    assert pod(assistant)["terminationGracePeriodSeconds"] == 5 + 40 + 5


def test_resources_are_the_web_containers_in_canonical_form() -> None:
    asked = {"requests": {"cpu": "1000m", "memory": "1024Mi"}, "limits": {"memory": 2000000}}
    spec = pod(an_assistant(resources=asked))

    assert spec["containers"][0]["resources"] == {
        "requests": {"cpu": "1", "memory": "1Gi"},
        "limits": {"memory": "2M"},
    }
    assert spec["initContainers"][0]["resources"]["requests"]["memory"] == "320Mi"


def test_all_that_is_asked_of_pods_is_in_their_template() -> None:
    template = built(an_assistant(**EVERYTHING))["spec"]["template"]
    spec = template["spec"]
    [web], [model] = spec["containers"], spec["initContainers"]

    assert spec["nodeSelector"] == EVERYTHING["nodeSelector"]
    assert spec["tolerations"][:2] == EVERYTHING["tolerations"]
    assert spec["imagePullSecrets"] == EVERYTHING["imagePullSecrets"]
    assert spec["priorityClassName"] == "high"
    assert env(web)["TZ"] == "Europe/Oslo"
    assert env(web)["EMPTY"] == ""
    assert "TZ" not in env(model)
    assert template["metadata"]["labels"]["team"] == "blue"
    assert template["metadata"]["annotations"]["mesh"] == "on"
    assert web["resources"]["limits"] == {"memory": "200Mi"}
    assert model["resources"] == {"requests": {"memory": "400Mi"}}


def test_what_is_not_asked_of_pods_is_not_sent() -> None:
    spec = pod(an_assistant())
    assert not {"nodeSelector", "imagePullSecrets", "priorityClassName"} & set(spec)


def test_labels_of_pods_never_replace_those_that_select_them() -> None:
    hostile = an_assistant(podLabels={"app.kubernetes.io/instance": "eve"})
    template = built(hostile)["spec"]["template"]
    assert template["metadata"]["labels"]["app.kubernetes.io/instance"] == "ada"


def test_the_pods_of_one_template_spread_over_nodes_where_there_are_some() -> None:
    [host] = pod(an_assistant())["topologySpreadConstraints"]

    assert (host["topologyKey"], host["maxSkew"]) == ("kubernetes.io/hostname", 1)
    assert host["whenUnsatisfiable"] == "ScheduleAnyway"
    assert host["matchLabelKeys"] == ["pod-template-hash"]


def lost(*tolerations: Manifest) -> list[str]:
    """Return the taints of lost nodes that the operator's own tolerations are for."""
    found = pod(an_assistant(tolerations=list(tolerations)))["tolerations"][len(tolerations) :]
    assert all(item["tolerationSeconds"] == 30 for item in found)
    return [item["key"].removeprefix("node.kubernetes.io/") for item in found]


def test_the_pods_of_a_lost_node_are_replaced_soon_unless_the_user_says_when() -> None:
    assert lost() == ["not-ready", "unreachable"]
    unreachable = {"key": "node.kubernetes.io/unreachable", "operator": "Exists"}
    assert lost({**unreachable, "tolerationSeconds": 5, "effect": "NoExecute"}) == ["not-ready"]
    assert lost({**unreachable, "effect": "NoSchedule"}) == ["not-ready", "unreachable"]
    assert lost({"operator": "Exists"}) == []


def test_a_hung_model_is_started_anew_and_a_busy_one_is_not() -> None:
    [model] = pod(an_assistant())["initContainers"]
    probe = model["livenessProbe"]

    assert probe["exec"]["command"] == ["va-model", "--check"]
    assert probe["periodSeconds"] * (probe["failureThreshold"] - 1) >= 60


def test_two_assistants_pods_and_one_more_in_a_rollout_fit_a_node_of_2_gib() -> None:
    each = sum(
        int(container["resources"]["requests"]["memory"].removesuffix("Mi"))
        for container in containers(an_assistant())
    )
    operator, system = 128, 512
    assert 3 * each + operator + system <= 2048


def test_no_variable_of_a_user_reaches_an_environment_unasked() -> None:
    hostile = an_assistant(text="$(VA_ASSISTANT_REVISION)", instructions="$(HOME)", model=OPENAI)
    assert "$(" not in str(built(hostile))


def test_scaling_leaves_the_pods_as_they_are() -> None:
    sent: dict[str, Any] = {"spec": {"replicas": 2, "template": {"spec": "as it was"}}, "x": 1}
    scaled = with_replicas(sent, 5)

    assert scaled == {"spec": {"replicas": 5, "template": {"spec": "as it was"}}, "x": 1}
    assert sent["spec"]["replicas"] == 2
