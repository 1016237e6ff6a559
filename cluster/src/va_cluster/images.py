"""Gets images out of an engine and into the nodes of a kind cluster."""

from va_cluster import kind
from va_cluster.engine import Engine
from va_cluster.errors import NotUp, WrongRequest
from va_cluster.progress import Progress

# Prints the manifest that the node has under a name, and nothing where it has none.
MANIFEST_SCRIPT = """
digest=$(ctr --namespace k8s.io images ls "name==$1" | awk 'NR == 2 {print $3}')
[ -z "$digest" ] || { echo "$digest"; ctr --namespace k8s.io content get "$digest"; }
"""


def full_reference(image: str) -> str:
    """The image's name as containerd and the kubelet have it."""
    name, at, digest = image.partition("@")
    first, slash, _ = name.partition("/")
    if not slash:
        name = f"docker.io/library/{name}"
    elif "." not in first and ":" not in first and first != "localhost":
        name = f"docker.io/{name}"
    if not at and ":" not in name.rpartition("/")[2]:
        name += ":latest"
    return name + at + digest


def has_image(manifest: str, image_id: str) -> bool:
    """Whether what a node has under a name is the image with this id.

    The id is the digest of the image's configuration, which the manifest
    names, or with newer engines the digest of the manifest itself.
    """
    return image_id in manifest


def manifest_command(node: str, image: str) -> tuple[str, ...]:
    """The command that asks a node for an image's manifest."""
    reference = full_reference(image)
    return ("docker", "exec", node, "sh", "-c", MANIFEST_SCRIPT, "manifest", reference)


def import_command(node: str) -> tuple[str, ...]:
    """The command that takes an image from its standard input into a node."""
    ctr = ("ctr", "--namespace", "k8s.io", "images", "import", "-")
    return ("docker", "exec", "--interactive", node, *ctr)


def image_id(engine: Engine, image: str) -> str:
    """The image's id in the engine; it must be there."""
    found = engine.shell.result("docker", "image", "inspect", "--format", "{{.Id}}", image)
    if not found.ok:
        raise WrongRequest(
            f"The engine has no image {image}.",
            f"Build it first: `va-cluster build {image} --file DOCKERFILE`.",
        )
    return found.output.strip()


def load(engine: Engine, cluster: str, images: tuple[str, ...], progress: Progress) -> None:
    """Bring the images into every node that lacks them."""
    nodes = [node for node in kind.list_nodes(engine, cluster) if node.state == "running"]
    if not nodes:
        raise NotUp(f"Cluster {cluster} is not running.", "Start it with `va-cluster up`.")
    identities = {image: image_id(engine, image) for image in images}
    for image, identity in identities.items():
        lacking = [
            node.name
            for node in nodes
            if not has_image(engine.shell.run(*manifest_command(node.name, image)), identity)
        ]
        for node in lacking:
            with progress.step(f"Loading {image} into {node}"):
                engine.shell.pipe(("docker", "save", image), import_command(node))
        if not lacking:
            progress.say(f"{image} is there already.")
