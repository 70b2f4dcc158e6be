"""api.test, auth.test, Socket Mode's door, the team, the bot, and the block validator."""

from lab.slack.entities import Json
from lab.slack.errors import ApiError
from lab.slack.messages import bot_profile
from lab.slack.registry import Call, method
from lab.slack.validate import validate_blocks, validate_view


@method("api.test", token_kind="none")
async def api_test(call: Call) -> Json:
    values = {k: v for k, v in call.args.values.items() if k != "token"}
    if call.args.has("error"):
        raise ApiError(call.args.text("error"), args=values)
    return {"args": values}


@method("auth.test", token_kind="any")
async def auth_test(call: Call) -> Json:
    workspace = call.workspace
    answer: Json = {
        "url": f"{workspace.public_url}/",
        "team": workspace.seed.team_name,
        "user": workspace.bot.name,
        "team_id": workspace.team_id,
        "user_id": workspace.bot.id,
        "is_enterprise_install": False,
    }
    if call.identity.kind == "bot":
        answer["bot_id"] = workspace.seed.bot_id
    return answer


@method("apps.connections.open", scopes=("connections:write",), tier=1, token_kind="app")
async def apps_connections_open(call: Call) -> Json:
    workspace = call.workspace
    if not workspace.manifest.socket_mode:
        raise ApiError("forbidden_team")
    ticket = workspace.mint.uuid()
    quirks = workspace.quirks
    debug = call.args.flag("debug_reconnects")
    seconds = quirks.debug_socket_seconds if debug else quirks.socket_seconds
    workspace.tickets[ticket] = (workspace.clock.now() + quirks.ticket_seconds, seconds)
    host = workspace.public_url.replace("http", "ws", 1)
    return {"url": f"{host}/link/?ticket={ticket}&app_id={workspace.seed.app_id}"}


@method("team.info", scopes=("team:read",), tier=3)
async def team_info(call: Call) -> Json:
    seed = call.workspace.seed
    team = {"id": seed.team_id, "name": seed.team_name, "domain": seed.domain, "email_domain": ""}
    return {"team": team}


@method("bots.info", scopes=("users:read",), tier=3)
async def bots_info(call: Call) -> Json:
    workspace = call.workspace
    if call.args.text("bot", workspace.seed.bot_id) != workspace.seed.bot_id:
        raise ApiError("bot_not_found")
    profile = {k: v for k, v in bot_profile(workspace).items() if k != "team_id"}
    return {"bot": {**profile, "user_id": workspace.bot.id}}


@method("blocks.validate", token_kind="none")
async def blocks_validate(call: Call) -> Json:
    given = [name for name in ("blocks", "message", "view") if call.args.has(name)]
    if len(given) != 1:
        raise ApiError("invalid_arguments", messages=["give exactly one of blocks, message, view"])
    name = given[0]
    content = call.args.structure(name, error="invalid_arguments")
    problems = (
        validate_view(content)
        if name == "view"
        else validate_blocks(content.get("blocks") if isinstance(content, dict) else content)
    )
    if not problems:
        return {}
    errors = [problem.structured() for problem in problems]
    raise ApiError(f"invalid_{name}", errors=errors, messages=[p.worded() for p in problems])
