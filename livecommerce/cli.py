"""The command `livecommerce`.

Nothing that has a model can be imported before Django is set up, and Django cannot be set up
before a command has said which instance it is about. So commands reach the product through
`product()`, by name.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import click
import django
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.utils.module_loading import import_string

from livecommerce import config
from livecommerce.first_run import kept
from livecommerce.lan.addresses import own_names
from livecommerce.supervisor import (
    REFUSED,
    Child,
    Supervisor,
    follow_parent,
    own_command,
    until_answers,
)

LOOPBACK = "127.0.0.1"
LOOK_AGAIN_S = 0.5
EVERYWHERE = "0.0.0.0"  # noqa: S104 - what --lan is for


class Refused(click.ClickException):
    """It cannot run like this; starting it again would change nothing."""

    exit_code = REFUSED


def product(name: str) -> Any:
    """Something of the product by its dotted name. Raises `Refused` for settings that are wrong."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "livecommerce.settings")
    gc.disable()  # what is imported stays: to look for garbage in it takes a sixth of a start
    try:
        django.setup()
        return import_string(name)
    except config.SettingsError as error:
        raise Refused("\n       ".join(error.lines)) from error
    finally:
        gc.enable()


def settings() -> config.Config:
    try:
        return config.read()
    except config.SettingsError as error:
        raise Refused("\n       ".join(error.lines)) from error


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 96})
@click.version_option(package_name="livecommerce")
@click.option("--supervised", is_flag=True, hidden=True)
def main(supervised: bool) -> None:
    """Live product shows, orders in the room, and short lessons made from every show.

    To look at it, run `livecommerce demo`. To sell with it, run `livecommerce up`, which starts
    everything in one go; `serve` and `worker` are its parts, for those who run them apart.

    Every setting is an environment variable with a default that works; docs/operations.md lists
    them, and `livecommerce check` says whether this machine has what it needs.
    """
    if supervised:
        follow_parent()


ON_THE_LAN = click.option(
    "--lan", is_flag=True, help="Let phones in the same network in, by HTTPS (LIVECOMMERCE_LAN=1)."
)


@main.command()
@click.option("--port", type=click.IntRange(1, 65535), help="Instead of PORT, or 8000.")
@ON_THE_LAN
def demo(port: int | None, lan: bool) -> None:
    """A living example: a show that is on right now, a replay, a course, five people to be.

    Its data is in var/demo (LIVECOMMERCE_DATA names another folder) and is made at the first
    start. One click signs in as anybody. So it listens on this machine only, or with --lan lets
    those in who scan the code that it shows here.
    """
    os.environ["LIVECOMMERCE_MODE"] = "demo"
    listen(host=LOOPBACK, lan=lan, otherwise="0")
    os.environ.setdefault("LIVECOMMERCE_DATA", "var/demo")
    found = prepare(port)
    click.echo("Preparing the demo; its films are made at the first start ...")
    product("livecommerce.demo.run.prepare")()
    actors = Child("actors", own_command("demo-actors"), waits=True)
    supervise(found, [actors], then=["Stop it with Ctrl+C."])


@main.command()
@click.option("--host", help="Address to listen on, instead of LIVECOMMERCE_HOST or 127.0.0.1.")
@click.option("--port", type=click.IntRange(1, 65535), help="Instead of PORT, or 8000.")
@ON_THE_LAN
def up(host: str | None, port: int | None, lan: bool) -> None:
    """A real instance on this machine: the web process and a worker, started and kept running.

    Its data is in var/instance (LIVECOMMERCE_DATA names another folder): the database, the
    recordings and the secret key. Back up that folder and you have backed up everything.
    """
    os.environ["LIVECOMMERCE_MODE"] = "up"
    listen(host=host, lan=lan, otherwise=os.environ.get("LIVECOMMERCE_LAN", "0"))
    found = prepare(port)
    secret = product("livecommerce.first_run.door.open_if_new")()
    hint = [FIRST_RUN.format(port=found.port, secret=secret), FIRST_OPERATOR] if secret else []
    supervise(found, [], then=[*hint, "Stop it with Ctrl+C."])


FIRST_RUN = "Nobody runs it yet. Make it yours: http://localhost:{port}/first-run/{secret}/"
FIRST_OPERATOR = "Or make the first operator by hand: livecommerce operator NAME"


def listen(*, host: str | None, lan: bool, otherwise: str) -> None:
    """Write into the environment, which the processes inherit, where to listen."""
    os.environ["LIVECOMMERCE_LAN"] = "1" if lan else otherwise
    if lan:
        os.environ["LIVECOMMERCE_HOST"] = host if host and host != LOOPBACK else EVERYWHERE
    elif host:
        os.environ["LIVECOMMERCE_HOST"] = host


def prepare(port: int | None) -> config.Config:
    """Check that the instance can start here, and bring its database up to date."""
    if port:
        os.environ["PORT"] = str(port)
    found = settings()
    need_own_version()
    cannot_serve = product("livecommerce.can_serve.CannotServe")
    try:
        product("livecommerce.can_serve.check_ports")(found.host, found.port)
        product("livecommerce.can_serve.check_alone")(found.data)
    except cannot_serve as error:
        raise Refused(str(error)) from error
    call_command("migrate", verbosity=0)
    return found


def supervise(found: config.Config, others: list[Child], *, then: list[str]) -> None:
    """Keep web, worker and the others running; say where when they are ready."""
    children = [Child("web", own_command("serve")), Child("worker", own_command("worker"))]

    def tell() -> None:
        shown = "localhost" if found.host in {LOOPBACK, "0.0.0.0", "::"} else found.host  # noqa: S104
        click.secho(f"\n  livecommerce is ready: http://{shown}:{found.port}", bold=True)
        if found.lan:
            click.echo(product("livecommerce.lan.invitation.told")(in_full=sys.stdout.isatty()))
        click.echo("".join(f"  {line}\n" for line in then))

    async def keep_running() -> int:
        reach = LOOPBACK if found.host in {"0.0.0.0", "::"} else found.host  # noqa: S104
        supervisor = Supervisor(
            [*children, *others],
            until_ready=lambda: until_answers(reach, found.port),
            on_ready=tell,
            until_changed=lambda: until_changed(found),
        )
        return await supervisor.run()

    sys.exit(asyncio.run(keep_running()))


async def until_changed(found: config.Config) -> None:
    """Return when the processes were started with what holds no longer."""
    before = await asyncio.to_thread(state_of, found)
    # Neither the first-run page nor the network tells of itself everywhere.
    while await asyncio.to_thread(state_of, found) == before:  # noqa: ASYNC110
        await asyncio.sleep(LOOK_AGAIN_S)


def state_of(found: config.Config) -> object:
    """What a start depends on and may change without us: first settings, our addresses."""
    addresses = own_names(found.hosts).all if found.lan else None
    return addresses, kept.stamp(found.data)


@main.command()
@click.option("--server", type=click.Choice(config.SERVERS), help="Instead of LIVECOMMERCE_SERVER.")
@click.option("--host", help="Address to listen on, instead of LIVECOMMERCE_HOST or 127.0.0.1.")
@click.option("--port", type=click.IntRange(1, 65535), help="Instead of PORT, or 8000.")
def serve(server: str | None, host: str | None, port: int | None) -> None:
    """One web process: pages, API, sockets, media files and the log of every room.

    Daphne is the default; uvicorn carries more people in a room. With REDIS_URL any number of these
    share an instance; without it the log is kept in the process, and a second one refuses to start.
    """
    found = settings()
    host, port = host or found.host, port or found.port
    # Read when Django is set up: where this process reaches itself.
    os.environ.update({"LIVECOMMERCE_HOST": host, "PORT": str(port)})
    cannot_serve = product("livecommerce.can_serve.CannotServe")
    try:
        product("livecommerce.can_serve.check_ports")(host, port)
        need_database()
        product("livecommerce.serve.serve")(server or found.server, host, port)
    except cannot_serve as error:
        raise Refused(str(error)) from error


@main.command()
def worker() -> None:
    """The media jobs and the periodic work. Start one on every machine that has cores to spare.

    It does as many jobs at once as there is room for (LIVECOMMERCE_JOBS_AT_ONCE), asks the database
    for them or hears of them by Celery (LIVECOMMERCE_CARRIER), and stops within five seconds.
    """
    need_database()
    of_celery = product("django.conf.settings").CARRIER == "celery"
    run_worker = product(f"media_pipeline.{'celery_worker' if of_celery else 'worker'}.run_worker")
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    click.echo("worker is ready")
    run_worker(stop, product("livecommerce.wiring.PERIODIC"))
    # Its jobs are handed back: a thread that still waits for a storage must not keep it.
    logging.shutdown()
    sys.stdout.flush()
    os._exit(0)


def need_own_version() -> None:
    """Refuse, before anything is touched, what a newer version has written."""
    if problem := product("livecommerce.version.newer_problem")():
        raise Refused(problem)


def need_database() -> None:
    """End with one line, and a code that is worth another try, when the database is not ready."""
    need_own_version()
    if missing := product("livecommerce.health.database_problem")():
        raise click.ClickException(f"Not ready: {missing}. Run: livecommerce check")


@main.command("demo-actors", hidden=True)
def demo_actors() -> None:
    """The demo's camera and its viewers; started by `livecommerce demo`."""
    product("livecommerce.demo.actors.main")()


@main.command()
def migrate() -> None:
    """Bring the database up to date. `demo` and `up` do this themselves."""
    settings()
    need_own_version()
    call_command("migrate")


@main.command()
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
def sweep(dry_run: bool) -> None:
    """Delete media that belongs to nothing any more. The worker does so every day.

    Such files are left where a process died between a file and the row that names it.
    """
    need_database()
    old = product("core.clock.now")() - product("media_pipeline.services.orphans.OLD")
    for folder in product("media_pipeline.services.orphans.orphans")(old):
        click.echo(folder)
    if not dry_run:
        count = product("media_pipeline.services.orphans.sweep")()
        forgotten = product("media_pipeline.services.uploads.sweep")()
        click.echo(f"Deleted {count} folders, and {forgotten} uploads that nobody goes on with.")


@main.group()
def jobs() -> None:
    """What the workers do: look at it, stop it, try it again."""


def on_jobs(name: str, *given: Any) -> Any:
    """Do one of the job commands; what it refuses is said in one line."""
    need_database()
    try:
        return product(f"livecommerce.job_commands.{name}")(*given)
    except product("livecommerce.job_commands.REFUSALS") as error:
        raise click.ClickException(str(error)) from error


@jobs.command("list")
@click.option("--all", "everything", is_flag=True, help="Also what is done or cancelled.")
@click.option("--most", default=50, show_default=True, type=click.IntRange(1))
def jobs_list(everything: bool, most: int) -> None:
    """The newest jobs that wait, run or failed."""
    on_jobs("list_jobs", everything, most)


@jobs.command("show")
@click.argument("number", type=int)
def jobs_show(number: int) -> None:
    """Everything about job NUMBER: what it is for, how far it is, and what went wrong."""
    on_jobs("show_job", number)


@jobs.command("cancel")
@click.argument("number", type=int)
def jobs_cancel(number: int) -> None:
    """Stop job NUMBER, within two seconds if it runs. `retry` starts it after all."""
    click.echo(on_jobs("cancel", number))


@jobs.command("retry")
@click.argument("number", type=int)
def jobs_retry(number: int) -> None:
    """Let job NUMBER, which failed or was cancelled, begin anew."""
    click.echo(on_jobs("retry", number))


@jobs.command("watch")
@click.argument("numbers", type=int, nargs=-1)
def jobs_watch(numbers: tuple[int, ...]) -> None:
    """Progress bars of what is under way, until Ctrl+C.

    With NUMBERS only of those, until they are over; ends with 1 if one of them is not done then.
    """
    sys.exit(0 if on_jobs("watch", numbers) else 1)


@main.command()
def check() -> None:
    """Say whether this machine has what the instance needs, one line each.

    Ends with code 1 when something is missing, and says what to do about it.
    """
    settings()
    click.echo("ok   settings     every one can be used")
    findings = product("livecommerce.checks.check_all")()
    for finding in findings:
        click.echo(str(finding))
    sys.exit(0 if all(finding.is_well for finding in findings) else 1)


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--show", required=True, metavar="ID", help="The show's id, as the studio shows it.")
@click.option("--url", help="The server, instead of the one on this machine at PORT.")
@click.option("--key", help="The show's key from the studio; needed for another machine's server.")
@click.option("--loop", is_flag=True, help="Begin again at the end of the file.")
@click.option("--duration", type=click.FloatRange(min=1), metavar="SECONDS", help="Stop then.")
def broadcast(
    file: Path, show: str, url: str | None, key: str | None, loop: bool, duration: float | None
) -> None:
    """Broadcast a video FILE into a show at its real pace, as a camera would.

    Connections that break are taken up where they were. Ctrl+C stops and keeps what was sent.
    Ends with 1 when the file cannot be used or the server not reached, with 3 when the server
    refuses: an unknown or ended show, a wrong key, somebody else on the air.
    """
    product("livecommerce.broadcasting.run")(
        file,
        show=show,
        url=url or f"http://{LOOPBACK}:{settings().port}",
        key=key,
        loop=loop,
        duration_s=duration,
    )


@main.command()
@click.argument("name")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def operator(name: str, password_stdin: bool) -> None:
    """Make NAME an operator, who runs the instance and gives others their roles.

    Asks for a password. Somebody who has an account keeps it and gets the new password.
    """
    settings()
    need_own_version()
    make_operator = product("livecommerce.operators.make_operator")
    if password_stdin:
        password = sys.stdin.readline().rstrip("\n")
    else:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    try:
        make_operator(name, password)
    except ValidationError as error:
        raise click.ClickException(" ".join(error.messages)) from error
    product("livecommerce.first_run.door.open_if_new")()  # which closes it: somebody runs it now
    click.echo(f"{name} is an operator and can sign in.")


@main.command("badges-key")
@click.option("--new", "action", flag_value="make", help="Make a key, which signs from now on.")
@click.option("--withdraw", metavar="KEY", help="It got out: believe it no more, sign again.")
def badges_key(action: str | None, withdraw: str | None) -> None:
    """The keys that sign certificates: list them, make a new one, withdraw one.

    What an older key has signed stays valid, until the key is withdrawn. The private halves are
    files in LIVECOMMERCE_BADGE_KEYS (badge-keys in the data folder): back them up with it.
    """
    need_database()
    name, given = ("withdraw", [withdraw]) if withdraw else (action or "told", [])
    try:
        lines = product(f"livecommerce.badge_keys.{name}")(*given)
    except product("core.errors.AppError") as error:
        raise click.ClickException(str(error)) from error
    for line in lines:
        click.echo(line)


@main.command("course-export")
@click.argument("course", metavar="ID")
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--sellers-know", is_flag=True, help="They agree to its going to another site.")
def course_export(course: str, file: Path | None, sellers_know: bool) -> None:
    """Write the course ID with its films into one FILE, for another instance.

    The id is in the address of the course's page. Without FILE it is named after the course. What
    no seller agrees to stays here, and is said.
    """
    on_courses("export", course, file, sellers_know)


@main.command("course-import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--author", required=True, metavar="USER", help="Whose draft it will be.")
@click.option("--again", is_flag=True, help="Make one more draft of what was imported before.")
def course_import(file: Path, author: str, again: bool) -> None:
    """Make a draft of the course in FILE, which `course-export` wrote on another instance.

    Everything in it is checked first. If anything is wrong, nothing is kept.
    """
    on_courses("bring", file, author, again)


def on_courses(name: str, *given: object) -> None:
    """Say what one of the course commands did; what it refuses is said in one line."""
    need_database()
    try:
        lines = product(f"livecommerce.course_files.{name}")(*given)
    except (OSError, product("core.errors.AppError")) as error:
        raise click.ClickException(str(error)) from error
    for line in lines:
        click.echo(line)


@main.group()
def sample() -> None:
    """A sample shop to look around in: add it, and remove it with everything in it."""


@sample.command("add")
def sample_add() -> None:
    """Add a shop with products in stock and a show tomorrow, marked as a sample everywhere."""
    act_as_operator("add")
    click.echo("The sample shop is there. Remove it with: livecommerce sample remove")


@sample.command("remove")
def sample_remove() -> None:
    """Remove the sample shop with everything in it, and nothing else."""
    removed = act_as_operator("remove")
    click.echo("The sample shop is gone." if removed else "There is no sample shop.")


def act_as_operator(action: str) -> object:
    """Do this with the sample, for the first operator there is."""
    settings()
    need_own_version()
    app_error = product("core.errors.AppError")
    home = "livecommerce.first_run.sample"
    try:
        return product(f"{home}.{action}")(product(f"{home}.first_operator")())
    except app_error as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main()
