"""Writes container images as OCI archives, with no engine."""

import io
import json
import tarfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
LAYER = "application/vnd.oci.image.layer.v1.tar"
CONFIG = "application/vnd.oci.image.config.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


@dataclass(frozen=True)
class Image:
    """An image of one layer: a folder's contents."""

    reference: str
    content: Path
    entrypoint: tuple[str, ...] = ()


def image_config(image: Image, diff_id: str, machine: str) -> dict[str, Any]:
    """The image's configuration."""
    config: dict[str, Any] = {"Env": ["PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]}
    if image.entrypoint:
        config["Entrypoint"] = list(image.entrypoint)
    return {
        "architecture": ARCHITECTURES.get(machine, machine),
        "os": "linux",
        "config": config,
        "rootfs": {"type": "layers", "diff_ids": [diff_id]},
    }


def write_archive(image: Image, machine: str, target: Path) -> None:
    """Write the image to `target`, as `ctr images import` reads it."""
    layer = target.with_suffix(".layer")
    try:
        with tarfile.open(layer, "w") as tar:
            for path in sorted(image.content.iterdir()):
                tar.add(path, path.name, filter=_owned_by_root)
        with layer.open("rb") as file:
            diff_id = f"sha256:{_digest_of(file)}"
        config = _json(image_config(image, diff_id, machine))
        manifest = _json(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "config": _descriptor(CONFIG, config),
                "layers": [{"mediaType": LAYER, "digest": diff_id, "size": layer.stat().st_size}],
            }
        )
        named = _descriptor(MANIFEST, manifest) | {
            "annotations": {"io.containerd.image.name": image.reference}
        }
        with tarfile.open(target, "w") as tar:
            _add(tar, "oci-layout", _json({"imageLayoutVersion": "1.0.0"}))
            _add(tar, "index.json", _json({"schemaVersion": 2, "manifests": [named]}))
            for data in (config, manifest):
                _add(tar, f"blobs/sha256/{sha256(data).hexdigest()}", data)
            tar.add(layer, f"blobs/sha256/{diff_id.removeprefix('sha256:')}")
    finally:
        layer.unlink(missing_ok=True)


def _owned_by_root(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    return info


def _digest_of(file: io.BufferedReader) -> str:
    digest = sha256()
    while block := file.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True).encode()


def _descriptor(media_type: str, data: bytes) -> dict[str, Any]:
    return {
        "mediaType": media_type,
        "digest": f"sha256:{sha256(data).hexdigest()}",
        "size": len(data),
    }


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))
