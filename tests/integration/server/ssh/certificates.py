#!/usr/bin/env python3
"""The SSH listener with certificates that OpenSSH makes and shows: of which CAs, for whom, until when, and what ends a connection. Usage: certificates.py SWARM"""
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "support"))
from running_server import PATIENCE, RunningServer, wait_for

CAS = {"ca_ed25519": ["-t", "ed25519"], "ca_ecdsa": ["-t", "ecdsa", "-b", "384"], "ca_rsa": ["-t", "rsa", "-b", "3072"]}
KEYS = {"ed25519": ["-t", "ed25519"], "ecdsa": ["-t", "ecdsa", "-b", "521"], "rsa": ["-t", "rsa", "-b", "3072"]}


def run(*words):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL)


class Bench:
    """Keys, CAs and a server that trusts them."""

    def __init__(self, swarm, folder):
        self.folder = pathlib.Path(folder)
        for name, words in {**CAS, "ca_other": ["-t", "ed25519"], **KEYS, "stolen": ["-t", "ed25519"]}.items():
            subprocess.run(["ssh-keygen", "-q", "-N", "", "-C", name, "-f", self.folder / name, *words], check=True)
        trusted = self.folder / "trusted"
        trusted.write_text("# CAs\n" + "".join((self.folder / f"{ca}.pub").read_text() for ca in CAS))
        self.revoke("")
        config = self.folder / "swarm.toml"
        config.write_text(f'[ssh]\nlisten = "127.0.0.1:0"\ntrustedUserCAKeys = "{trusted}"\nrevokedKeys = "{self.folder}/revoked"\n')
        self.server = RunningServer(swarm, self.folder, "--fake-provider", "--config", config)
        self.port = self.server.api("GET", "/api/ssh")["port"]
        self.serial = 0

    def revoke(self, text):
        draft = self.folder / "draft"
        draft.write_text(text)
        draft.rename(self.folder / "revoked")

    def certify(self, key="ed25519", ca="ca_ed25519", names="admin", validity="-1h:+1h", options=()):
        """Each with a serial number and key id of its own."""
        self.serial += 1
        names = ["-n", names] if names else []
        subprocess.run(["ssh-keygen", "-q", "-s", self.folder / ca, "-I", f"id {self.serial}", "-z", str(self.serial), *names, "-V", validity, *options, self.folder / f"{key}.pub"], check=True)

    def ssh(self, *words, key="ed25519", user="admin"):
        """`ssh -F none` with one key and its certificate."""
        certificate = ["-o", f"CertificateFile={self.folder}/{key}-cert.pub"]
        unasked = ["-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={self.folder}/known", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none"]
        return ["ssh", "-F", "none", "-p", str(self.port), "-i", str(self.folder / key), *certificate, *unasked, *words, f"{user}@127.0.0.1"]

    def signs_in(self, key="ed25519", user="admin"):
        """A workspace that does not exist has a message for those who are signed in."""
        result = run(*self.ssh("-W", "absent:22", key=key, user=user))
        if "There is no workspace" in result.stdout:
            return True
        assert "Permission denied" in result.stderr, result
        return False

    def refusal(self):
        """What the audit log says of the newest sign-in."""
        record = self.server.api("GET", "/api/audit?limit=1&action=signIn")["items"][0]
        assert record["result"] == "refused", record
        return record["detail"]

    def try_to_keep(self, **who):
        process = subprocess.Popen(self.ssh("-N", "-v", **who), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        return process if any("Entering interactive session" in line for line in process.stderr) else None

    def keep(self, **who):
        """A connection that stays open."""
        process = self.try_to_keep(**who)
        assert process, "the connection was not opened"
        return process


def accepted(bench):
    assert not bench.signs_in(), "a key alone"
    for ca in CAS:
        for key in KEYS:
            bench.certify(key, ca)
            assert bench.signs_in(key), (ca, key)
    for algorithm in ("rsa-sha2-256", "rsa-sha2-512"):
        bench.certify(ca="ca_rsa", options=["-t", algorithm])
        assert bench.signs_in(), algorithm
    bench.certify(names="someone,admin", validity="always:forever", options=["-O", "clear", "-O", "permit-port-forwarding", "-O", "extension:a@example.com=b"])
    assert bench.signs_in()
    bench.certify(options=["-O", "source-address=10.0.0.0/8,127.0.0.0/8"])
    assert bench.signs_in()


def refused(bench):
    for expected, more in (
        ("not one of its principals", {"names": "someone"}),
        ("not one of its principals", {"names": "adm*,Admin"}),
        ("has no principals", {"names": ""}),
        ("has expired", {"validity": "-2h:-1h"}),
        ("is not valid yet", {"validity": "+1h:+2h"}),
        ("permit-port-forwarding", {"options": ["-O", "no-port-forwarding"]}),
        ("force-command", {"options": ["-O", "force-command=true"]}),
        ("source-address", {"options": ["-O", "source-address=10.0.0.0/8"]}),
        ("critical option x@example.com", {"options": ["-O", "critical:x@example.com=y"]}),
        ("verify-required", {"options": ["-O", "verify-required"]}),
    ):
        bench.certify(**more)
        assert not bench.signs_in(), more
        assert expected in bench.refusal(), (expected, bench.refusal())
    for what, more in (("another CA", {"ca": "ca_other"}), ("a host certificate", {"options": ["-h"]})):
        bench.certify(**more)
        assert not bench.signs_in(), what
    bench.certify(ca="ca_rsa", options=["-t", "ssh-rsa"])
    assert not bench.signs_in(), "SHA-1"
    bench.certify(names="noone")
    assert not bench.signs_in(user="noone"), "no such user"
    bench.certify()
    certificate = (bench.folder / "ed25519-cert.pub").read_text()
    (bench.folder / "stolen-cert.pub").write_text(certificate)
    assert not bench.signs_in("stolen"), "a certificate without its key"


def ended(bench):
    """What ends a certificate ends what it has opened, and nothing else does."""
    bench.certify()
    bystander = bench.keep()
    for line in ("serial: {}", "id: id {}", "# comment\nserial: 1000000-2000000\nserial: {}\n"):
        bench.certify()
        revoked = bench.keep()
        bench.revoke(line.format(bench.serial))
        assert revoked.wait(PATIENCE) == 255
        assert not bench.signs_in() and "is revoked" in bench.refusal()
        assert bystander.poll() is None
    bench.certify()
    kept = bench.keep()
    bench.revoke("nonsense")
    wait_for("no user signs in while the list cannot be read", lambda: not bench.signs_in())
    assert kept.poll() is None and bystander.poll() is None
    fingerprint = run("ssh-keygen", "-l", "-f", bench.folder / "ca_ed25519.pub").stdout.split()[1]
    bench.revoke(f"hash: {fingerprint}\n")
    assert kept.wait(PATIENCE) == 255 and bystander.wait(PATIENCE) == 255, "their CA is revoked"
    bench.revoke("")
    wait_for("they sign in again", bench.signs_in)
    for seconds in (4, 16, 64):  # on a slow machine, a short one ends before the sign-in
        bench.certify(validity=f"-1h:+{seconds}s")
        if expiring := bench.try_to_keep():
            break
    assert expiring.wait(2 * PATIENCE) == 255, "it has expired"
    # Registered keys are revoked by the same list.
    bench.certify(ca="ca_other")
    public = (bench.folder / "ed25519.pub").read_text()
    bench.server.api("POST", "/api/keys", {"key": public})
    by_key = bench.keep()
    bench.revoke(f"hash: {run('ssh-keygen', '-l', '-f', bench.folder / 'ed25519.pub').stdout.split()[1]}\n")
    assert by_key.wait(PATIENCE) == 255
    assert not bench.signs_in()


def disabled(bench):
    bench.revoke("")
    bench.server.api("POST", "/api/users", {"name": "ann", "role": "user", "password": "correct horse battery"})
    bench.certify("ecdsa", names="ann")
    wait_for("ann signs in", lambda: bench.signs_in("ecdsa", "ann"))
    kept = bench.keep(key="ecdsa", user="ann")
    bench.server.api("POST", "/api/users/ann/disable")
    assert kept.wait(PATIENCE) == 255
    assert not bench.signs_in("ecdsa", "ann")


def recorded(bench):
    records = bench.server.api("GET", "/api/audit?limit=500")["items"]
    ca = run("ssh-keygen", "-l", "-f", bench.folder / "ca_ed25519.pub").stdout.split()[1]
    facts = [(one["action"], one["result"], one.get("user", ""), one.get("after", {})) for one in records]
    by = {"by": "SSH certificate", "keyId": "id 1", "serial": "1", "caFingerprint": ca}
    assert ("signIn", "done", "admin", by) in facts, [fact for fact in facts if fact[0] == "signIn"]
    assert any(action == "openSsh" and after.get("keyId") == "id 1" for action, _, _, after in facts), facts
    assert any(result == "refused" and after.get("caFingerprint") == ca for _, result, _, after in facts)


def misconfigured(bench, swarm):
    """The server does not start with a file that it cannot use."""
    for key, text in (("trustedUserCAKeys", "nonsense"), ("trustedUserCAKeys", ""), ("revokedKeys", "nonsense"), ("revokedKeys", None)):
        file = bench.folder / "broken"
        file.unlink(missing_ok=True)
        if text is not None:
            file.write_text(text)
        config = bench.folder / "broken.toml"
        config.write_text(f'[ssh]\n{key} = "{file}"\n')
        result = run(swarm, "serve", "--listen", "127.0.0.1:0", "--data-dir", bench.folder / "other", "--fake-provider", "--config", config)
        assert result.returncode != 0 and f"[ssh] {key}, {file}, cannot be used" in result.stderr + result.stdout, result


def main(swarm):
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(swarm, folder)
        for step in (accepted, refused, ended, disabled, recorded):
            step(bench)
        bench.server.stop()
        misconfigured(bench, swarm)


main(sys.argv[1])
