"""A client of both services that does this and that by chance, and notes what it was promised.

It must not know when the emulator is killed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from tests.e2e.kills.asking import Answer, Wire
from tests.e2e.kills.emulators import Emulator
from tests.e2e.kills.model import Facts, Model

POOL = "shared"
LONG = "sleep 300"
_MOST = {"container": 3, "blob": 12, "pool": 2, "job": 4, "task": 60, "schedule": 3}


class Client:
    """Of one thread; its things have names that no other client uses."""

    def __init__(self, number: int, random: Random) -> None:
        self.model = Model()
        self._number = number
        self._random = random
        self._made = 0
        self._wires: tuple[Wire, ...] = ()
        self._batch: Wire
        self._blob: Wire

    def connect(self, emulator: Emulator) -> None:
        """Talks to that emulator from now on."""
        self.close()
        self._wires = self._batch, self._blob = emulator.batch(), emulator.blob()

    def close(self) -> None:
        """Closes its connections."""
        for wire in self._wires:
            wire.close()

    def act(self) -> None:
        """Does one thing; raises `LostError` where it is not known whether that was done."""
        actions: tuple[Callable[[], None], ...] = (
            *(self._make_container, self._put_blob, self._put_blob, self._stage, self._commit),
            *(self._mark_blob, self._delete_blob, self._delete_container, self._make_pool),
            *(self._mark_pool, self._delete_pool, self._make_job, self._mark_job),
            *(self._toggle_job, self._end_job, self._delete_job),
            *(self._add_task, self._add_task, self._add_tasks, self._look, self._change_task),
            *(self._end_task, self._delete_task, self._make_schedule, self._mark_schedule),
            *(self._toggle_schedule, self._delete_schedule),
        )
        self._random.choice(actions)()

    # What is there now

    def find(self, name: str) -> Facts:
        """What the services say of a thing."""
        kind, _, rest = name.partition("/")
        match kind:
            case "container":
                return self._find_container(rest)
            case "blob":
                return self._find_blob(rest)
            case "staged":
                return self._find_staged(rest)
            case "pool":
                return self._find_entity(f"/pools/{rest}", _pool_facts)
            case "job":
                return self._find_entity(f"/jobs/{rest}", _job_facts)
            case "schedule":
                return self._find_entity(f"/jobschedules/{rest}", _schedule_facts)
            case _:
                return self._find_task(name)

    def judge(self) -> list[str]:
        """What is not as promised, in words."""
        etags = dict(self.model.etags)
        found = {name: self.find(name) for name in self.model.names()}
        wrong = self.model.judge(found)
        for name, etag in etags.items():
            if self.model.etags.get(name) != etag and name in self.model.etags:
                wrong.append(f"{name}: ETag {etag} was promised")
        return wrong

    def unfinished(self) -> list[str]:
        """The tasks of active jobs that are not over yet; long ones are ended by request."""
        left = []
        for name in self.model.present("task/"):
            job, task = name.split("/")[1:]
            facts = self.model.facts[f"job/{job}"]
            if facts is None or facts[1] != "active":
                continue
            shown = self._batch.ask("GET", f"/jobs/{job}/tasks/{task}").json
            if shown["state"] == "completed":
                failure = shown["executionInfo"].get("failureInfo")
                assert failure is None or failure["code"] == "TaskEnded", shown
                continue
            left.append(name)
            if LONG in shown["commandLine"]:
                answer = self._batch.ask("POST", f"/jobs/{job}/tasks/{task}/terminate")
                assert answer.status in (204, 409), answer
        return left

    def _find_container(self, rest: str) -> Facts:
        answer = self._blob.ask("GET", f"/{rest}", query="restype=container")
        if answer.status == 404:
            return None
        assert answer.status == 200, answer
        return (answer.headers["x-ms-meta-mark"],)

    def _find_blob(self, rest: str) -> Facts:
        answer = self._blob.ask("GET", f"/{rest}")
        if answer.status == 404:
            return None
        assert answer.status == 200, answer
        digest = hashlib.sha256(answer.body).hexdigest()
        self._check_etag(f"blob/{rest}", answer)
        return (digest, answer.headers.get("x-ms-meta-mark"))

    def _check_etag(self, name: str, answer: Answer) -> None:
        promised = self.model.etags.get(name)
        if promised is not None and name not in self.model.pending:
            assert answer.headers["etag"] == promised, f"{name}: ETag {promised} was promised"

    def _find_staged(self, rest: str) -> Facts:
        answer = self._blob.ask("GET", f"/{rest}", query="blocklisttype=uncommitted&comp=blocklist")
        if answer.status == 404:
            return None
        assert answer.status == 200, answer
        return tuple(part.partition(b"<")[0] for part in answer.body.split(b"<Name>")[1:]) or None

    def _find_entity(self, path: str, facts: Callable[[Any], Facts]) -> Facts:
        answer = self._batch.ask("GET", path)
        if answer.status == 404:
            return None
        assert answer.status == 200, answer
        shown = answer.json
        return None if shown["state"] == "deleting" else facts(shown)

    def _find_task(self, name: str) -> Facts:
        job, task = name.split("/")[1:]
        if self._find_entity(f"/jobs/{job}", _job_facts) is None:
            return None
        answer = self._batch.ask("GET", f"/jobs/{job}/tasks/{task}")
        if answer.status == 404:
            return None
        assert answer.status == 200, answer
        shown = answer.json
        info = shown.get("executionInfo", {})
        if shown["state"] == "completed":
            seen = (info.get("endTime"), info.get("exitCode"), info.get("result"))
            promised = self.model.ended.get(name)
            assert promised in (None, seen), f"{name}: ended as {promised}, now {seen}"
            self.model.ended[name] = seen
        else:
            assert name not in self.model.ended, f"{name}: had ended, now {shown['state']}"
            requeued = self.model.running.pop(name, None)
            if requeued is not None:
                assert info["requeueCount"] > requeued, f"{name}: ran, and was not queued again"
        return (shown["commandLine"], shown["constraints"]["maxTaskRetryCount"])

    # What is done

    def _change(
        self, changes: Mapping[str, Facts], ask: Callable[[], Answer], *refusals: str
    ) -> Answer:
        self.model.begin(changes)
        answer = ask()
        if answer.status < 300:
            self.model.acknowledge()
        else:
            assert answer.code in refusals, (changes, answer)
            self.model.refuse()
        return answer

    def _new(self, kind: str) -> str | None:
        if len(self.model.present(f"{kind}/")) >= _MOST[kind]:
            return None
        self._made += 1
        return f"{kind[0]}{self._number}-{self._made}"

    def _any(self, prefix: str) -> str | None:
        names = self.model.present(prefix)
        return self._random.choice(names) if names else None

    def _mark(self) -> str:
        return str(self._random.randrange(10**9))

    def _make_container(self) -> None:
        if (name := self._new("container")) is not None:
            mark = self._mark()
            self._change(
                {f"container/{name}": (mark,)},
                lambda: self._blob.ask(
                    "PUT", f"/{name}", query="restype=container", headers={"x-ms-meta-mark": mark}
                ),
            )

    def _delete_container(self) -> None:
        name = self._any("container/")
        if name is None or self._random.random() < 0.8:
            return
        container = name.partition("/")[2]
        inside = [n for n in self.model.names() if n.split("/")[1] == container]
        self._change(
            dict.fromkeys(inside),
            lambda: self._blob.ask("DELETE", f"/{container}", query="restype=container"),
        )

    def _blob_name(self) -> str | None:
        """An old or a new blob of a container."""
        container = self._any("container/")
        if container is None:
            return None
        inside = container.partition("/")[2]
        if (
            len(self.model.present(f"blob/{inside}/")) < _MOST["blob"]
            and self._random.random() < 0.5
        ):
            self._made += 1
            return f"{inside}/b{self._made}"
        old = self._any(f"blob/{inside}/")
        return None if old is None else old.partition("/")[2]

    def _content(self) -> bytes:
        size_bytes = self._random.choice((0, 10, 5_000, 400_000))
        return self._random.randbytes(size_bytes)

    def _put_blob(self) -> None:
        name = self._blob_name()
        if name is None:
            return
        content, mark = self._content(), self._mark()
        answer = self._change(
            {
                f"blob/{name}": (hashlib.sha256(content).hexdigest(), mark),
                f"staged/{name}": None,
            },
            lambda: self._blob.ask(
                "PUT",
                f"/{name}",
                body=content,
                headers={"x-ms-blob-type": "BlockBlob", "x-ms-meta-mark": mark},
            ),
        )
        self.model.etags[f"blob/{name}"] = answer.headers["etag"]

    def _stage(self) -> None:
        name = self._blob_name()
        if name is None:
            return
        staged = self.model.facts.get(f"staged/{name}") or ()
        identifier = f"QmxvY2{len(staged):02d}"
        self._change(
            {f"staged/{name}": (*staged, identifier.encode())},
            lambda: self._blob.ask(
                "PUT",
                f"/{name}",
                query=f"blockid={identifier}&comp=block",
                body=f"{name} {identifier}\n".encode(),
            ),
        )

    def _commit(self) -> None:
        name = self._any("staged/")
        if name is None:
            return
        blob = name.partition("/")[2]
        staged = self.model.facts[name] or ()
        content = b"".join(f"{blob} {each.decode()}\n".encode() for each in staged)
        entries = b"".join(b"<Latest>%b</Latest>" % each for each in staged)
        answer = self._change(
            {f"blob/{blob}": (hashlib.sha256(content).hexdigest(), None), name: None},
            lambda: self._blob.ask(
                "PUT",
                f"/{blob}",
                query="comp=blocklist",
                body=b"<BlockList>%b</BlockList>" % entries,
            ),
        )
        self.model.etags[f"blob/{blob}"] = answer.headers["etag"]

    def _mark_blob(self) -> None:
        name = self._any("blob/")
        if name is None:
            return
        mark = self._mark()
        facts = self.model.facts[name]
        assert facts is not None
        answer = self._change(
            {name: (facts[0], mark)},
            lambda: self._blob.ask(
                "PUT",
                f"/{name.partition('/')[2]}",
                query="comp=metadata",
                headers={"x-ms-meta-mark": mark},
            ),
        )
        self.model.etags[name] = answer.headers["etag"]

    def _delete_blob(self) -> None:
        name = self._any("blob/")
        if name is not None:
            blob = name.partition("/")[2]
            self._change(
                {name: None, f"staged/{blob}": None},
                lambda: self._blob.ask("DELETE", f"/{blob}"),
            )

    def _make_pool(self) -> None:
        if (name := self._new("pool")) is not None:
            mark = self._mark()
            self._change(
                {f"pool/{name}": (mark,)},
                lambda: self._batch.send("POST", "/pools", pool_body(name, 1, mark)),
            )

    def _mark_pool(self) -> None:
        self._patch("pool/", "pools", lambda facts, mark: (mark,))

    def _delete_pool(self) -> None:
        name = self._any("pool/")
        if name is not None and self._random.random() < 0.3:
            path = f"/pools/{name.partition('/')[2]}"
            self._change({name: None}, lambda: self._batch.ask("DELETE", path))

    def _patch(self, prefix: str, plural: str, after: Callable[[Any, str], Facts]) -> None:
        name = self._any(prefix)
        if name is None:
            return
        mark = self._mark()
        body = {"metadata": [{"name": "mark", "value": mark}]}
        path = f"/{plural}/{name.partition('/')[2]}"
        self._change(
            {name: after(self.model.facts[name], mark)},
            lambda: self._batch.send("PATCH", path, body),
            *("JobCompleted", "JobBeingTerminated", "JobScheduleCompleted"),
        )

    def _make_job(self) -> None:
        if (name := self._new("job")) is not None:
            mark = self._mark()
            body = {"id": name, "poolInfo": {"poolId": POOL}, "metadata": metadata(mark)}
            self._change(
                {f"job/{name}": (mark, "active")}, lambda: self._batch.send("POST", "/jobs", body)
            )

    def _mark_job(self) -> None:
        self._patch("job/", "jobs", lambda facts, mark: (mark, facts[1]))

    def _toggle_job(self) -> None:
        name = self._any("job/")
        if name is None or (facts := self.model.facts[name]) is None or facts[1] == "ended":
            return
        path = f"/jobs/{name.partition('/')[2]}"
        if facts[1] == "active":
            option = self._random.choice(("requeue", "terminate", "wait"))
            if option == "terminate":
                # What runs of it ends with it, and it is not known what that is.
                self._forget_running(name)
            self._change(
                {name: (facts[0], "disabled")},
                lambda: self._batch.send("POST", f"{path}/disable", {"disableTasks": option}),
                "JobNotActive",
            )
            if option == "requeue":
                self._forget_running(name)
        else:
            self._change(
                {name: (facts[0], "active")}, lambda: self._batch.ask("POST", f"{path}/enable")
            )

    def _forget_running(self, job: str) -> None:
        prefix = f"task/{job.partition('/')[2]}/"
        for task in [each for each in self.model.running if each.startswith(prefix)]:
            del self.model.running[task]

    def _end_job(self) -> None:
        name = self._any("job/")
        if name is None or (facts := self.model.facts[name]) is None or facts[1] == "ended":
            return
        if self._random.random() < 0.7:
            return
        path = f"/jobs/{name.partition('/')[2]}/terminate"
        self._change(
            {name: (facts[0], "ended")},
            lambda: self._batch.send("POST", path, {"terminateReason": "Enough"}),
        )

    def _delete_job(self) -> None:
        name = self._any("job/")
        if name is None or self._random.random() < 0.6:
            return
        job = name.partition("/")[2]
        inside = [n for n in self.model.names() if n.startswith(f"task/{job}/")]
        self._change(
            dict.fromkeys([name, *inside]), lambda: self._batch.ask("DELETE", f"/jobs/{job}")
        )

    def _task_body(self, name: str) -> tuple[dict[str, Any], Facts]:
        command = self._random.choice(("true", "sleep 0.02", "sleep 0.2", LONG))
        line = f"/bin/sh -c '{command} & wait $!'"
        return {"id": name, "commandLine": line}, (line, 0)

    def _add_task(self) -> None:
        job, name = self._any("job/"), self._new("task")
        if job is not None and name is not None:
            where = job.partition("/")[2]
            body, facts = self._task_body(name)
            self._change(
                {f"task/{where}/{name}": facts},
                lambda: self._batch.send("POST", f"/jobs/{where}/tasks", body),
                *("JobCompleted", "JobBeingTerminated"),
            )

    def _add_tasks(self) -> None:
        job = self._any("job/")
        if job is None or (facts := self.model.facts[job]) is None or facts[1] == "ended":
            return
        where = job.partition("/")[2]
        bodies: list[dict[str, Any]] = []
        changes: dict[str, Facts] = {}
        while len(bodies) < 10 and (name := self._new("task")) is not None:
            body, changes[f"task/{where}/{name}"] = self._task_body(name)
            bodies.append(body)
        if bodies:
            path = f"/jobs/{where}/addtaskcollection"
            self._change(changes, lambda: self._batch.send("POST", path, {"value": bodies}))

    def _task_path(self, name: str) -> str:
        job, task = name.split("/")[1:]
        return f"/jobs/{job}/tasks/{task}"

    def _look(self) -> None:
        name = self._any("task/")
        if name is None:
            return
        shown = self._batch.ask("GET", self._task_path(name)).json
        info = shown.get("executionInfo", {})
        if shown["state"] == "running":
            self.model.running[name] = info["requeueCount"]
        elif shown["state"] == "completed":
            seen = (info.get("endTime"), info.get("exitCode"), info.get("result"))
            assert self.model.ended.setdefault(name, seen) in (None, seen), shown
            self.model.running.pop(name, None)

    def _change_task(self) -> None:
        name = self._any("task/")
        if name is not None:
            retries = self._random.randrange(5)
            facts = self.model.facts[name]
            assert facts is not None
            body = {"constraints": {"maxTaskRetryCount": retries}}
            self._change(
                {name: (facts[0], retries)},
                lambda: self._batch.send("PUT", self._task_path(name), body),
                *("TaskCompleted",),
            )

    def _end_task(self) -> None:
        name = self._any("task/")
        if name is not None:
            path = f"{self._task_path(name)}/terminate"
            # A task that ends by request or by itself just then has ended either way.
            self.model.running.pop(name, None)
            answer = self._change(
                {name: self.model.facts[name]},
                lambda: self._batch.ask("POST", path),
                *("TaskCompleted",),
            )
            if answer.status < 300:
                self.model.ended.setdefault(name, None)

    def _delete_task(self) -> None:
        name = self._any("task/")
        if name is not None:
            path = self._task_path(name)
            self._change({name: None}, lambda: self._batch.ask("DELETE", path))

    def _make_schedule(self) -> None:
        if (name := self._new("schedule")) is not None:
            mark = self._mark()
            later = {"doNotRunUntil": "2100-01-01T00:00:00Z"}
            body = {
                "id": name,
                "schedule": self._random.choice((later, {"recurrenceInterval": "PT1M"})),
                "jobSpecification": {"poolInfo": {"poolId": POOL}},
                "metadata": metadata(mark),
            }
            self._change(
                {f"schedule/{name}": (mark, "active")},
                lambda: self._batch.send("POST", "/jobschedules", body),
            )

    def _mark_schedule(self) -> None:
        self._patch("schedule/", "jobschedules", lambda facts, mark: (mark, facts[1]))

    def _toggle_schedule(self) -> None:
        name = self._any("schedule/")
        if name is None or (facts := self.model.facts[name]) is None:
            return
        verb = "disable" if facts[1] == "active" else "enable"
        self._change(
            {name: (facts[0], "disabled" if facts[1] == "active" else "active")},
            lambda: self._batch.ask("POST", f"/jobschedules/{name.partition('/')[2]}/{verb}"),
        )

    def _delete_schedule(self) -> None:
        name = self._any("schedule/")
        if name is not None and self._random.random() < 0.4:
            path = f"/jobschedules/{name.partition('/')[2]}"
            self._change({name: None}, lambda: self._batch.ask("DELETE", path))


def metadata(mark: str) -> list[dict[str, str]]:
    """How a mark is declared."""
    return [{"name": "mark", "value": mark}]


def pool_body(name: str, nodes: int, mark: str, slots: int = 1) -> dict[str, Any]:
    """A pool that the supported images allow."""
    image = {
        "publisher": "canonical",
        "offer": "0001-com-ubuntu-server-jammy",
        "sku": "22_04-lts",
        "version": "latest",
    }
    return {
        "id": name,
        "vmSize": "standard_d2s_v3",
        "virtualMachineConfiguration": {
            "imageReference": image,
            "nodeAgentSKUId": "batch.node.ubuntu 22.04",
        },
        "targetDedicatedNodes": nodes,
        "taskSlotsPerNode": slots,
        "metadata": metadata(mark),
    }


def _marked(shown: Any) -> str:
    return str(next(each["value"] for each in shown["metadata"] if each["name"] == "mark"))


def _pool_facts(shown: Any) -> Facts:
    return (_marked(shown),)


def _job_facts(shown: Any) -> Facts:
    states = {
        **dict.fromkeys(("active", "enabling"), "active"),
        **dict.fromkeys(("disabling", "disabled"), "disabled"),
        **dict.fromkeys(("terminating", "completed"), "ended"),
    }
    return (_marked(shown), states[shown["state"]])


def _schedule_facts(shown: Any) -> Facts:
    return (_marked(shown), shown["state"])
