"""Builds the Dockerfile with buildah and no registry: Debian's own mirror makes what stands in for the base images."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request

from agent import ROOT

MIRROR = os.environ.get("HAILWHALE_IMAGE_MIRROR", "http://deb.debian.org/debian")
SUITE = "bookworm"
CACHE = ROOT / ".build/image-test"
BASE, SWIFT, IMAGE = "localhost/hailwhale-base", "localhost/hailwhale-swift", "localhost/hailwhale"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
BUILD_SECONDS = 1_200
# What the toolchain itself runs on, the first list of .ci/deps; what the agent needs the Dockerfile installs.
TOOLCHAIN_PACKAGES = (
    "binutils", "ca-certificates", "libc6-dev", "libcurl4", "libncurses6", "libsqlite3-0", "libstdc++-12-dev",
    "libuuid1", "libxml2", "tzdata", "zlib1g-dev",
)


def mounts():
    """Where file systems are mounted, as this process sees them."""
    lines = pathlib.Path("/proc/self/mountinfo").read_text().splitlines()
    return [re.sub(r"\\(\d{3})", lambda octal: chr(int(octal.group(1), 8)), line.split()[4]) for line in lines]


def toolchain():
    """The folder that holds the Swift toolchain's `usr`, or nothing: one of the system's own cannot be bound."""
    swift = shutil.which("swift")
    folder = pathlib.Path(swift).resolve().parents[2] if swift else None
    if folder is None or folder == pathlib.Path("/") or not (folder / "usr/lib/swift").is_dir():
        return None
    return folder


def missing():
    """What this machine lacks for a build, in words; nothing if it lacks nothing."""
    if os.geteuid() != 0:
        return "root: not the user"
    for program in ("buildah", "debootstrap", "ip", "nsenter", "unshare"):
        if shutil.which(program) is None:
            return f"{program}: not installed"
    if toolchain() is None:
        return "a Swift toolchain in a folder of its own: not on PATH"
    if "/" not in mounts():
        return "a mount point at /: this root is a plain folder, from which buildah cannot pivot"
    for what, arguments in {"mount": ["--mount"], "process": ["--pid", "--fork"], "network": ["--net"]}.items():
        if subprocess.run(["unshare", *arguments, "true"], capture_output=True).returncode != 0:
            return f"{what} namespaces: not permitted"
    try:
        urllib.request.urlopen(f"{MIRROR}/dists/{SUITE}/Release", timeout=10).close()
    except (urllib.error.URLError, OSError) as error:
        return f"the Debian mirror {MIRROR}: {error}"
    return None


class Builder:
    """A store of images in a folder of its own, which `close` deletes."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hw-image-", dir="/var/tmp"))

    def close(self):
        # Builds mount in a namespace that ended with them. Should one be left, what is bound there is somebody's.
        left = [place for place in mounts() if place.startswith(f"{self.folder}/")]
        assert not left, f"still mounted: {left}"
        shutil.rmtree(self.folder)

    def run(self, *command, seconds=60):
        """Runs a command in mount and process namespaces of its own, so that nothing outlives it."""
        proxies = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
        done = subprocess.run(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", *map(str, command)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=seconds,
            env={"PATH": PATH, "HOME": str(self.folder), "TMPDIR": str(self.folder), "LC_ALL": "C.UTF-8"} | proxies,
        )
        output = done.stdout[-4_000:] + done.stderr[-8_000:]
        assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{output}"
        return done.stdout.strip()

    def buildah(self, command, *arguments, seconds=300):
        """The driver stands before the command; after it, it would be passed over without a word."""
        place = ["--root", self.folder / "root", "--runroot", self.folder / "run", "--storage-driver", "vfs"]
        isolation = ["--isolation", "chroot"] if command in ("build", "run") else []
        return self.run("buildah", *place, command, *isolation, *arguments, seconds=seconds)

    def make_base(self):
        """Stands in for debian:bookworm-slim. Made once, and then taken from the cache."""
        archive = CACHE / f"{SUITE}.tar"
        if not archive.exists():
            CACHE.mkdir(parents=True, exist_ok=True)
            root = self.folder / SUITE
            self.run("debootstrap", "--variant=minbase", SUITE, root, MIRROR, seconds=600)
            # As the image does, and as the Dockerfile relies on: packages start no services, documents stay away.
            policy = root / "usr/sbin/policy-rc.d"
            policy.write_text("#!/bin/sh\nexit 101\n")
            policy.chmod(0o755)
            slim = ["doc", "groff", "info", "linda", "lintian", "locale", "man"]
            (root / "etc/dpkg/dpkg.cfg.d/slim").write_text(
                "".join(f"path-exclude /usr/share/{folder}/*\n" for folder in slim))
            for folder in slim:
                shutil.rmtree(root / "usr/share" / folder, ignore_errors=True)
            for leftover in [*root.glob("var/cache/apt/archives/*.deb"), *root.glob("var/lib/apt/lists/*_*")]:
                leftover.unlink()
            self.run("tar", "--directory", root, "--create", "--file", f"{archive}.part", ".")
            os.rename(f"{archive}.part", archive)
            shutil.rmtree(root)
        container = self.buildah("from", "scratch")
        self.buildah("add", container, archive, "/")
        self.buildah("config", "--env", f"PATH={PATH}", "--cmd", "bash", container)
        self.buildah("commit", "--rm", container, BASE)

    def make_swift(self):
        """Stands in for swift:…-bookworm: what the toolchain needs; it is itself bound while the image is built."""
        container = self.buildah("from", "--pull-never", BASE)
        self.buildah(
            "run", container, "--", "sh", "-c",
            "apt-get update --quiet && DEBIAN_FRONTEND=noninteractive"
            " apt-get install --quiet --yes --no-install-recommends " + " ".join(TOOLCHAIN_PACKAGES))
        self.buildah("config", "--env", f"PATH={toolchain()}/usr/bin:{PATH}", container)
        self.buildah("commit", "--rm", container, SWIFT)

    def make_image(self):
        """Builds the Dockerfile. Docker's format, since OCI's has no place for a health check."""
        self.buildah(
            "build", "--format", "docker", "--pull-never", "--build-arg", f"BASE_IMAGE={BASE}",
            "--build-arg", f"SWIFT_IMAGE={SWIFT}", "--volume", f"{toolchain()}:{toolchain()}:ro", "--tag", IMAGE, ROOT,
            seconds=BUILD_SECONDS)

    def config(self):
        """How the image says it is run: Docker's `Config`."""
        return json.loads(self.buildah("inspect", "--type", "image", IMAGE))["Docker"]["config"]

    def layer_bytes(self):
        """The sizes of the layers that the Dockerfile adds to its base image, uncompressed."""
        sizes = []
        for name in (BASE, IMAGE):
            folder = self.folder / "pushed"
            self.buildah("push", "--disable-compression", name, f"dir:{folder}")
            sizes.append([layer["size"] for layer in json.loads((folder / "manifest.json").read_text())["layers"]])
            shutil.rmtree(folder)
        base, image = sizes
        assert image[:len(base)] == base, "the image stands on another base"
        return image[len(base):]

    def make_root(self):
        """A root file system of the image, to run it from."""
        return pathlib.Path(self.buildah("mount", self.buildah("from", "--pull-never", IMAGE)))
