"""The image that the project's images start from: the public one, or an own one in its place."""

import shutil
from pathlib import Path

from va_cluster import debian, rootfs
from va_cluster.cache import Cache, recipe_key
from va_cluster.engine import Engine, import_root
from va_cluster.progress import Progress

PUBLIC = "python:3.11-slim-bookworm"
REPOSITORY = "virtual-assistant/python-base"
PACKAGES = ("python3", "python3-venv", "ca-certificates")
HOST_CERTIFICATES = Path("/usr/local/share/ca-certificates")
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
ROOTFS = rootfs.entry("python", PACKAGES)
# As in the public image: no translations to fetch, nothing that nobody asked for.
APT_SETTINGS = """\
Acquire::Languages "none";
APT::Install-Recommends "false";
"""
ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
    # Python's own bundles do not hold the host's certificates.
    "SSL_CERT_FILE": BUNDLE,
    "PIP_CERT": BUNDLE,
}


def host_certificates(folder: Path = HOST_CERTIFICATES) -> tuple[Path, ...]:
    """The certificates that this machine trusts beside Debian's own."""
    return tuple(sorted(folder.rglob("*.crt"))) if folder.is_dir() else ()


def tag(certificates: tuple[Path, ...], sources: str) -> str:
    """The own image's name, which changes with anything it is made from."""
    parts = [path.read_bytes() for path in certificates]
    code = Path(__file__).read_bytes()
    return f"{REPOSITORY}:{recipe_key(debian.SUITE, code, sources, str(ROOTFS.path), *parts)}"


def import_changes() -> tuple[str, ...]:
    """What `docker import` is to set in the image."""
    environment = " ".join(f"{name}={value}" for name, value in ENVIRONMENT.items())
    return ("--change", f"ENV {environment}", "--change", 'CMD ["python3"]')


def ensure(engine: Engine, cache: Cache, progress: Progress) -> str | None:
    """The own base image, or None where the public one can be had."""
    sources = debian.sources_text(debian.own_sources(debian.read_sources()))
    certificates = host_certificates()
    own = tag(certificates, sources)
    if _has(engine, PUBLIC):
        return None
    if _has(engine, own):
        return own
    with cache.lock("base-image"):
        if _has(engine, own):
            return own
        with progress.step(f"Asking for {PUBLIC}"):
            pulled = engine.shell.result("docker", "pull", "--quiet", PUBLIC, timeout=600)
        if pulled.ok:
            return None
        progress.say("It cannot be pulled: an own base image will be used.")
        rootfs.check_host("A base image can be built")
        if not cache.has(ROOTFS):
            with progress.step(f"Installing Debian {debian.SUITE} with Python (about 1 min)"):
                rootfs.ensure(ROOTFS.name, PACKAGES, engine.shell, cache)
        with progress.step("Assembling the base image"), cache.scratch("base-image") as root:
            _assemble(engine, cache.path(ROOTFS) / rootfs.ARCHIVE, root, certificates, sources)
            import_root(engine, root, own, import_changes())
    return own


def _has(engine: Engine, image: str) -> bool:
    return engine.shell.result("docker", "image", "inspect", image).ok


def _assemble(
    engine: Engine, archive: Path, root: Path, certificates: tuple[Path, ...], sources: str
) -> None:
    engine.shell.run("tar", "-C", root, "-xpf", archive)
    trusted = root / "usr/local/share/ca-certificates"
    trusted.mkdir(parents=True, exist_ok=True)
    for certificate in certificates:
        shutil.copy2(certificate, trusted / certificate.name)
    engine.shell.run("chroot", root, "update-ca-certificates")
    (root / "usr/local/bin/python").symlink_to("/usr/bin/python3")
    (root / "etc/apt/sources.list").unlink(missing_ok=True)
    (root / "etc/apt/sources.list.d/debian.sources").write_text(sources)
    (root / "etc/apt/apt.conf.d/80small").write_text(APT_SETTINGS)
