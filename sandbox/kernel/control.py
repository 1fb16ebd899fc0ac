"""The `/_sandbox/` routes: reset, seed, faults, limits, clock, switches, state, request log, snapshots."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.kernel.emulator import ControlError, Emulator

_SNAPSHOT_NAME = re.compile(r"[A-Za-z0-9_.-]{1,60}")


@dataclass(frozen=True, slots=True)
class ControlCall:
    """One control request: its JSON body, its path parts, and the request itself."""

    request: Request
    body: dict[str, Any]
    raw: bytes = b""

    def part(self, name: str) -> str:
        """Return a part of the path."""
        return str(self.request.path_params[name])


def control_route(path: str, action: Callable[[ControlCall], Any], *, method: str = "POST") -> Route:
    """Wrap `action` as a control route: its result becomes JSON, a mistake a 400 with one sentence."""

    async def handle(request: Request) -> Response:
        if request.headers.get("sec-fetch-site") in ("cross-site", "same-site"):
            return JSONResponse({"error": "Control calls from other sites are refused."}, status_code=403)
        try:
            raw = await request.body()
            result = action(ControlCall(request, await _body(request), raw))
        except (ControlError, ValueError) as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        if isinstance(result, Response):
            return result
        return JSONResponse({} if result is None else result)

    return Route(f"/_sandbox{path}", handle, methods=[method])


def control_view(path: str, view: Callable[[], Any], *, method: str = "GET") -> Route:
    """Wrap a question without arguments as a control route."""
    return control_route(path, lambda _call: view(), method=method)


def control_routes(emulator: Emulator) -> list[BaseRoute]:
    """Return the routes every sandbox has."""
    return [
        control_view("/", lambda: _index(emulator)),
        control_route("/reset", lambda call: _reset(emulator, call.body)),
        control_route("/seed", lambda call: emulator.seed(call.body)),
        control_view("/state", emulator.describe),
        control_view("/ledger", lambda: _ledger(emulator)),
        control_view("/clock", emulator.clock.describe),
        control_route("/clock", lambda call: _clock(emulator, call.body)),
        control_view("/limits", emulator.limits.describe),
        control_route("/limits", lambda call: _limits(emulator, call.body)),
        control_view("/switches", lambda: _switches(emulator)),
        control_route("/switches", lambda call: _set_switches(emulator, call.body)),
        control_view("/faults", lambda: _faults(emulator)),
        control_route("/faults", lambda call: _add_fault(emulator, call)),
        control_view("/faults", emulator.faults.clear, method="DELETE"),
        control_route("/faults/{id}", lambda call: _remove_fault(emulator, call), method="DELETE"),
        control_route("/requests", lambda call: _requests(emulator, call), method="GET"),
        control_view("/requests", emulator.log.clear, method="DELETE"),
        control_view("/snapshots", lambda: {"snapshots": emulator.store.snapshot_names()}),
        control_route("/snapshots/{name}", lambda call: _snapshot(emulator, call)),
        control_route("/snapshots/{name}/restore", lambda call: _restore(emulator, call.part("name"))),
    ]


async def _body(request: Request) -> dict[str, Any]:
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        form = await request.form()
        return {"form": {name: str(value) for name, value in form.items()}}
    raw = await request.body()
    if not raw.strip():
        return {}
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ControlError(f"The body is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise ControlError("The body must be a JSON object.")
    return value


def _index(emulator: Emulator) -> dict[str, Any]:
    routes = [*emulator.control_routes(), *control_routes(emulator)]
    return {
        "sandbox": emulator.name,
        "routes": [
            f"{'/'.join(sorted((route.methods or set()) - {'HEAD'}))} {route.path}"
            for route in routes
            if isinstance(route, Route)
        ],
    }


def _reset(emulator: Emulator, body: dict[str, Any]) -> dict[str, Any]:
    emulator.faults.clear()
    seed = body.get("seed", 0)
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise ControlError("seed must be a whole number.")
    emulator.faults.reseed(seed)
    emulator.limits.reset()
    emulator.log.clear()
    if body.get("clock", True):
        emulator.clock.reset()
    emulator.switches = {name: switch.default for name, switch in emulator.switch_help.items()}
    if "snapshot" in body:
        emulator.forget()
        return _restore(emulator, str(body["snapshot"]))
    return emulator.reset(body)


def _ledger(emulator: Emulator) -> dict[str, Any]:
    checks = emulator.check_books()
    return {
        "balanced": all(check.is_balanced for check in checks.values()),
        "companies": {
            tenant: {
                "entries": check.entries,
                "debits": str(check.debits),
                "credits": str(check.credits),
                "problems": list(check.problems),
            }
            for tenant, check in checks.items()
        },
    }


def _clock(emulator: Emulator, body: dict[str, Any]) -> dict[str, Any]:
    unknown = set(body) - {"now", "shift_seconds", "scale", "frozen", "reset"}
    if unknown:
        raise ControlError(
            f"The clock takes now, shift_seconds, scale, frozen or reset, not {sorted(unknown)}."
        )
    if body.get("reset"):
        emulator.clock.reset()
    if "scale" in body:
        emulator.clock.set_scale(_number(body, "scale"))
    if "now" in body:
        emulator.clock.move_to(datetime.fromisoformat(str(body["now"])))
    if "shift_seconds" in body:
        emulator.clock.shift(_number(body, "shift_seconds"))
    if "frozen" in body:
        emulator.clock.freeze(is_frozen=bool(body["frozen"]))
    return emulator.clock.describe()


def _number(body: dict[str, Any], name: str) -> float:
    value = body[name]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ControlError(f"{name} must be a number.")
    return float(value)


def _limits(emulator: Emulator, body: dict[str, Any]) -> dict[str, Any]:
    emulator.limits.configure(body)
    return emulator.limits.describe()


def _switches(emulator: Emulator) -> dict[str, Any]:
    return {
        name: {"value": emulator.switches[name], "values": list(switch.values), "help": switch.help}
        for name, switch in emulator.switch_help.items()
    }


def _set_switches(emulator: Emulator, body: dict[str, Any]) -> dict[str, Any]:
    emulator.set_switches(body)
    return _switches(emulator)


def _faults(emulator: Emulator) -> dict[str, Any]:
    return {"kinds": emulator.faults.kinds, "rules": [rule.describe() for rule in emulator.faults.rules()]}


def _add_fault(emulator: Emulator, call: ControlCall) -> Any:
    form = call.body.get("form")
    if form is not None:
        emulator.faults.add(json.loads(form.get("rule", "{}")))
        return RedirectResponse(call.request.headers.get("referer", "/"), status_code=303)
    return emulator.faults.add(call.body).describe()


def _remove_fault(emulator: Emulator, call: ControlCall) -> dict[str, Any]:
    rule_id = call.part("id")
    if not emulator.faults.remove(rule_id):
        raise ControlError(f"There is no fault rule {rule_id}.")
    return _faults(emulator)


def _requests(emulator: Emulator, call: ControlCall) -> dict[str, Any]:
    count = call.request.query_params.get("count", "100")
    if not count.isdecimal():
        raise ControlError("count must be a whole number.")
    return emulator.log.describe(int(count))


def _snapshot(emulator: Emulator, call: ControlCall) -> dict[str, Any]:
    name = call.part("name")
    if not _SNAPSHOT_NAME.fullmatch(name):
        raise ControlError("A snapshot's name has up to 60 letters, digits, dots, dashes or underscores.")
    return {"snapshot": name, "objects": emulator.store.take_snapshot(name)}


def _restore(emulator: Emulator, name: str) -> dict[str, Any]:
    if name not in emulator.store.snapshot_names():
        raise ControlError(f"There is no snapshot {name!r}. Take one with POST /_sandbox/snapshots/{name}.")
    return {"restored": name, "objects": emulator.store.restore_snapshot(name)}
