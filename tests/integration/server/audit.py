#!/usr/bin/env python3
"""The audit log of a server that is killed between a change and its record, and whose database is changed. Usage: audit.py SWARM"""
import json
import os
import pathlib
import sqlite3
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from running_server import PATIENCE, RunningServer


def run(swarm, server, *words, code=0):
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "SWARM_URL": f"http://{server.host}", "SWARM_TOKEN": server.token}
    done = subprocess.run([swarm, *words], env=environment, capture_output=True, text=True, timeout=PATIENCE)
    assert code is None or done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
    return done.stdout


def records(swarm, server, *filters):
    return json.loads(run(swarm, server, "audit", *filters, "-o", "json"))


def kill_at(swarm, folder, point, name):
    """The server dies at `point` of the creation of a user."""
    server = RunningServer(swarm, folder, variables={"SWARM_FAULT": f"{point}=kill"})
    run(swarm, server, "users", "create", name, "--service", code=None)
    assert server.process.wait(PATIENCE) == -9


def users(swarm, server):
    return [user["name"] for user in json.loads(run(swarm, server, "users", "-o", "json"))]


def main(swarm):
    with tempfile.TemporaryDirectory() as folder:
        kill_at(swarm, folder, "audit.begun", "before")
        kill_at(swarm, folder, "audit.changed", "after")
        server = RunningServer(swarm, folder)
        assert [name for name in users(swarm, server) if name != "admin"] == ["after"], users(swarm, server)
        found = records(swarm, server, "--action", "createUser")
        assert [(one["result"], one["after"]["name"]) for one in found] == [("unknown", "after"), ("unknown", "before")], found
        assert len(records(swarm, server, "--action", "createUser", "--result", "begun")) == 2
        head = run(swarm, server, "audit", "verify").split("Head: ")[1].strip()

        exported = pathlib.Path(folder, "audit.ndjson")
        exported.write_text(run(swarm, server, "audit", "export"))
        run(swarm, server, "audit", "verify", "--file", str(exported), "--head", head)
        server.stop()
        first = json.loads(exported.read_text().splitlines()[0])

        database = sqlite3.connect(next(pathlib.Path(folder).rglob("swarm.db")))
        for change in ("UPDATE audit SET user = 'eve'", "DELETE FROM audit"):
            try:
                database.execute(change)
                raise AssertionError("the database let a record be changed")
            except sqlite3.DatabaseError as error:
                assert "append-only" in str(error), error
        database.execute("DROP TRIGGER audit_no_update")
        database.execute("UPDATE audit SET body = replace(body, 'createUser', 'createHouse') WHERE body LIKE '%createUser%'")
        database.commit()
        database.close()
        server = RunningServer(swarm, folder)
        assert f"record {found[-1]['completes']} was changed" in run(swarm, server, "audit", "verify", code=1)
        assert "Broken" in run(swarm, server, "audit", "verify", "--head", head, code=1)
        run(swarm, server, "audit", "verify", "--file", str(exported))
        assert first["sequence"] == 1
        server.stop()


main(sys.argv[1])
