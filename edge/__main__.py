"""`python -m edge write`: makes the folder from which Envoy runs."""

from pathlib import Path
from typing import Annotated

import typer

from edge import binary
from edge.envoy import ServiceWithoutAddress
from edge.settings import Address, Edge, Tls, Upstream
from edge.write import write

app = typer.Typer(add_completion=False, help=__doc__, pretty_exceptions_enable=False)
_SERVICES = "name=host:port of a service; again for each process that serves it."


def _services(texts: list[str]) -> dict[str, tuple[Address, ...]]:
    """The addresses of each service that is named. Raises BadParameter."""
    found: dict[str, tuple[Address, ...]] = {}
    for text in texts:
        name, equals, address = text.partition("=")
        if not (name and equals):
            raise typer.BadParameter(f"not a service and its address (name=host:port): {text}")
        found[name] = (*found.get(name, ()), _address(address))
    return found


def _address(text: str) -> Address:
    try:
        return Address.of(text)
    except ValueError as fault:
        raise typer.BadParameter(str(fault)) from None


@app.command("write")
def write_command(
    out: Annotated[Path, typer.Option(help="The folder to write.")],
    listen: Annotated[str, typer.Option(help="host:port to listen on.")],
    service: Annotated[list[str], typer.Option(help=_SERVICES)],
    admin: Annotated[str, typer.Option(help="host:port of Envoy's own interface.")] = "",
    allow_origin: Annotated[list[str] | None, typer.Option(help="Pages that may call.")] = None,
    loopback_origins: Annotated[bool, typer.Option(help="Pages of this machine may call.")] = False,
    tls_certificate: Annotated[Path | None, typer.Option(help="PEM file.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="PEM file.")] = None,
    client_authority: Annotated[Path | None, typer.Option(help="PEM, of callers.")] = None,
    upstream_certificate: Annotated[Path | None, typer.Option(help="PEM, for services.")] = None,
    upstream_key: Annotated[Path | None, typer.Option(help="PEM, for services.")] = None,
    upstream_authority: Annotated[Path | None, typer.Option(help="PEM, of services.")] = None,
    upstream_name: Annotated[str, typer.Option(help="DNS name in their certificates.")] = "",
    trusted_hops: Annotated[int, typer.Option(help="Proxies in front that are believed.")] = 0,
) -> None:  # fmt: skip
    """Write Envoy's configuration and what it serves, and print how to start it."""
    if (tls_certificate is None) != (tls_key is None):
        raise typer.BadParameter("a certificate and its key belong together")
    if client_authority is not None and tls_certificate is None:
        raise typer.BadParameter("callers show certificates to one who shows its own")
    upstream = (upstream_certificate, upstream_key, upstream_authority, upstream_name)
    if any(upstream) and not all(upstream):
        raise typer.BadParameter("what proves the edge and the services belongs together")
    edge = Edge(
        listen=_address(listen),
        services=_services(service),
        admin=_address(admin) if admin else None,
        origins=tuple(allow_origin or ()),
        loopback_origins=loopback_origins,
        tls=(
            Tls(tls_certificate, tls_key, client_authority) if tls_certificate and tls_key else None
        ),
        upstream=(
            Upstream(upstream_certificate, upstream_key, upstream_authority, upstream_name)
            if upstream_certificate and upstream_key and upstream_authority
            else None
        ),
        trusted_hops=trusted_hops,
    )
    try:
        bootstrap = write(edge, out)
        typer.echo(f"{binary.path()} --config-path {bootstrap} --disable-hot-restart")
    except ServiceWithoutAddress as missing:
        raise typer.BadParameter(f"no --service says where these are: {missing}") from None
    except OSError as fault:
        typer.echo(f"medhub: {fault}", err=True)
        raise typer.Exit(1) from None


@app.command("openapi")
def openapi_command() -> None:
    """Print the OpenAPI document."""
    from edge.openapi import printed

    typer.echo(printed())


if __name__ == "__main__":
    app()
