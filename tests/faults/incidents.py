"""What may befall processes, Redis and PostgreSQL. Each incident does harm, lasts, and is mended when it returns."""

from __future__ import annotations

import random
import signal
from collections.abc import Callable

import gevent
import psycopg
from ground import World
from servers import Server

Incident = Callable[[World, random.Random], None]
_DRAIN_S = 60.0
_SPOILER = "spoil_writes"


def _last(chance: random.Random, longest_s: float) -> None:
    """Go on for some time: mostly short, sometimes long."""
    gevent.sleep(longest_s * chance.random() ** 2)


# Processes.


def kill(world: World, chance: random.Random) -> None:
    """Out of memory: SIGKILL, and another one is started."""
    _replace(world, chance, signal.SIGKILL)


def hang_up(world: World, chance: random.Random) -> None:
    """SIGHUP, as from a terminal that is closed."""
    _replace(world, chance, signal.SIGHUP)


def stop(world: World, chance: random.Random) -> None:
    """A deploy: SIGTERM, which lets answers finish or hands them over; meanwhile the next one starts."""
    _replace(world, chance, signal.SIGTERM)


def freeze(world: World, chance: random.Random) -> None:
    """The process stands still, perhaps for longer than its leases last, and goes on as if nothing had been."""
    server = _choose(world, chance)
    if server is None:
        return
    server.signal(signal.SIGSTOP)
    _last(chance, 9.0)
    server.signal(signal.SIGCONT)
    world.teller.broken.discard(server.name)


def _choose(world: World, chance: random.Random) -> Server | None:
    """One of those that are exposed; what it has in hand counts as broken off."""
    server = chance.choice(world.exposed_servers) if world.exposed_servers else None
    if server is not None:
        world.teller.break_off(server.name)
    return server


def _replace(world: World, chance: random.Random, number: signal.Signals) -> None:
    server = _choose(world, chance)
    if server is None:
        return
    starting = gevent.spawn(world.restart_server)
    server.is_doomed = True
    server.signal(number)
    server.await_end(_DRAIN_S)
    world.bury(server)
    starting.get()


# Redis.


def restart_redis(world: World, chance: random.Random) -> None:
    """It dies, and comes back with nothing."""
    world.ground.redis.stop()
    _last(chance, 5.0)
    world.ground.redis.start()


def freeze_redis(world: World, chance: random.Random) -> None:
    """It accepts connections and says nothing."""
    world.ground.redis.pause()
    _last(chance, 10.0)
    world.ground.redis.go_on()


def slow_redis(world: World, chance: random.Random) -> None:
    """Every command takes up to 200 ms."""
    for _ in range(chance.randint(5, 30)):
        world.ground.redis.ask("CLIENT", "PAUSE", "200", "ALL")
        gevent.sleep(0.2)


def cut_redis(world: World, chance: random.Random) -> None:
    """It closes every connection, again and again."""
    for _ in range(chance.randint(1, 5)):
        world.ground.redis.ask("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        _last(chance, 0.5)


def write_protect_redis(world: World, chance: random.Random) -> None:
    """It is the replica of a primary that is not there."""
    world.ground.redis.ask("REPLICAOF", "127.0.0.1", "1")
    _last(chance, 5.0)
    world.ground.redis.ask("REPLICAOF", "NO", "ONE")


def fill_redis(world: World, chance: random.Random) -> None:
    """It has no memory left."""
    world.ground.redis.ask("CONFIG", "SET", "maxmemory", "1")
    _last(chance, 5.0)
    world.ground.redis.ask("CONFIG", "SET", "maxmemory", "0")


def flush_redis(world: World, chance: random.Random) -> None:
    """Somebody empties it."""
    world.ground.redis.ask("FLUSHALL")
    _last(chance, 1.0)


# PostgreSQL.


def restart_postgres(world: World, chance: random.Random) -> None:
    """An administrator restarts it, at once and with every connection."""
    world.ground.postgres.stop()
    _last(chance, 5.0)
    world.ground.postgres.start()


def freeze_postgres(world: World, chance: random.Random) -> None:
    """It stands still: connections stay, nothing is answered."""
    world.ground.postgres.pause()
    _last(chance, 10.0)
    world.ground.postgres.resume()


def cut_postgres(world: World, chance: random.Random) -> None:
    """It ends every connection to our database, again and again."""
    for _ in range(chance.randint(1, 5)):
        world.ground.postgres.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid()",
            world.database_url,
        )
        _last(chance, 0.5)


def write_protect_postgres(world: World, chance: random.Random) -> None:
    """It may only be read, as a standby."""
    name = world.database_url.rpartition("/")[2]
    world.ground.postgres.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    cut_postgres(world, chance)
    _last(chance, 5.0)
    world.ground.postgres.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    cut_postgres(world, chance)


def fill_postgres(world: World, chance: random.Random) -> None:
    """Its disk is full: everything that is written fails."""
    _spoil_writes(world, chance, "RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'")


def slow_postgres(world: World, chance: random.Random) -> None:
    """Whatever is written takes 200 ms longer."""
    _spoil_writes(world, chance, "PERFORM pg_sleep(0.2)")


def _spoil_writes(world: World, chance: random.Random, statement: str) -> None:
    """Have the server do something else first, for some time, whenever a turn or a message is written."""
    body = f"BEGIN {statement}; RETURN NULL; END"
    _execute(world, f"CREATE FUNCTION {_SPOILER}() RETURNS trigger AS $$ {body} $$ LANGUAGE plpgsql")
    for table in ("turns", "messages"):
        trigger = f"CREATE TRIGGER {_SPOILER} BEFORE INSERT OR UPDATE ON {table}"
        _execute(world, f"{trigger} EXECUTE FUNCTION {_SPOILER}()")
    _last(chance, 5.0)
    _execute(world, f"DROP FUNCTION {_SPOILER} CASCADE")


def _execute(world: World, statement: str) -> None:
    """What waits for locks of ours may lose a deadlock."""
    while True:
        try:
            world.ground.postgres.execute(statement, world.database_url)
        except psycopg.errors.DeadlockDetected:
            continue
        return


PROCESSES, REDIS, POSTGRES = "processes", "redis", "postgres"
OF_ALL: dict[str, tuple[Incident, ...]] = {
    PROCESSES: (kill, kill, hang_up, stop, freeze, freeze),
    REDIS: (
        restart_redis, freeze_redis, slow_redis, cut_redis, write_protect_redis, fill_redis, flush_redis,
    ),
    POSTGRES: (
        restart_postgres, freeze_postgres, cut_postgres, write_protect_postgres, fill_postgres, slow_postgres,
    ),
}  # fmt: skip
