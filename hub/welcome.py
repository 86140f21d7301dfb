"""What to try next: the text that `medhub up` ends with, from the running addresses."""

from hub.run_file import DemoOrganization, Running

_TOKEN = "TOKEN"  # noqa: S105 - the name of a shell variable, not a secret.


def welcome(running: Running) -> str:
    """Three lines each for grpcurl and curl, the docs page, and who can log in."""
    parts = (_docs, _story, _logging_in, _grpc, _rest)
    return "\n".join(line for part in parts for line in part(running))


def _docs(running: Running) -> list[str]:
    return ["", f"medhub is up. API docs: {running.http}/api/docs", *_users(running.organizations)]


def _story(running: Running) -> list[str]:
    """How the charts of the demonstration fill."""
    if not running.organizations:
        return []
    return ["", "Tell the story, which fills the charts (by HL7):", "  .venv/bin/medhub demo"]


def _users(organizations: list[DemoOrganization]) -> list[str]:
    lines: list[str] = []
    for organization in organizations:
        lines += ["", f"{organization['display_name']} ({organization['name']})"]
        lines += [
            f"  {user['email']:<34} {user['password']:<20} {', '.join(user['roles'])}"
            for user in organization["users"]
        ]
    return lines


def _logging_in(running: Running) -> list[str]:
    """Fill TOKEN as the first demo doctor, or say which words to fill in."""
    users = [user for each in running.organizations for user in each["users"]]
    doctors = [user for user in users if any("doctor" in role for role in user["roles"])]
    email, password = "you@example.org", "your password"
    for user in (doctors or users)[:1]:
        email, password = user["email"], user["password"]
    body = f'{{"email": "{email}", "password": "{password}"}}'
    read = "python3 -c 'import json, sys; print(json.load(sys.stdin)[\"access_token\"])'"
    login = f"curl -s {running.http}/auth/login -H 'content-type: application/json' -d '{body}'"
    return ["", "Log in (a token lives five minutes):", f"  {_TOKEN}=$({login} | {read})"]


def _grpc(running: Running) -> list[str]:
    clinical, bearer = running.grpc["clinical"], f'-H "authorization: Bearer ${_TOKEN}"'
    service = "medhub.clinical.v1.PatientService"
    page = '{"page_size": 5}'
    return [
        "",
        "By gRPC:",
        f"  grpcurl -plaintext {clinical} list",
        f"  grpcurl -plaintext {clinical} describe {service}",
        f"  grpcurl -plaintext {bearer} -d '{page}' {clinical} {service}/ListPatients",
    ]


def _rest(running: Running) -> list[str]:
    bearer = f'-H "authorization: Bearer ${_TOKEN}"'
    return [
        "",
        "By REST:",
        f"  curl -si {running.http}/health/",
        f"  curl -s {bearer} '{running.http}/clinical/v1/patients?page_size=5'",
        f"  curl -s {running.http}/api/openapi.json",
        "",
    ]
