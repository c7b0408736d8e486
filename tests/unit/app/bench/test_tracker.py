"""What the lines of workers say: who owns what, how far it is, what was folded again."""

from app.bench.tracker import Tracker


def loaded(partition: int, next_offset: int, event: str = "loaded") -> dict[str, object]:
    """A partition taken over."""
    return {"event": event, "partition": partition, "next_offset": next_offset}


def progress(**offsets: int) -> dict[str, object]:
    """Where a worker's partitions stand (p0=7: partition 0 at offset 7)."""
    return {"event": "progress", "partitions": {name[1:]: offset for name, offset in offsets.items()}}


def test_records_between_the_last_progress_and_the_load_were_folded_again() -> None:
    """Summed over partitions and loads; a load that goes on where the last owner stood adds nothing."""
    tracker = Tracker()
    for number in (0, 1):
        tracker.take(7, loaded(number, 0))
    tracker.take(7, progress(p0=100, p1=50))
    tracker.gone(7)
    tracker.take(8, loaded(0, 70))
    tracker.take(9, loaded(1, 50))

    assert tracker.refolded == 30
    assert tracker.owners == {0: 8, 1: 9}

    tracker.take(8, progress(p0=90))
    tracker.gone(8)
    tracker.take(9, loaded(0, 80))
    assert tracker.refolded == 40


def test_what_was_reached_never_falls_back() -> None:
    """It counts records folded at least once, however often they are folded again."""
    tracker = Tracker()
    tracker.take(7, loaded(0, 0))
    tracker.take(7, loaded(1, 0))
    tracker.take(7, progress(p0=100, p1=10))
    tracker.gone(7)
    tracker.take(8, loaded(0, 20))
    tracker.take(8, progress(p0=30))

    assert tracker.n_reached == 110
    tracker.take(8, progress(p0=105))
    assert tracker.n_reached == 115


def test_lines_of_a_former_owner_change_nothing() -> None:
    """A worker that was paused may still print what it believes."""
    tracker = Tracker()
    tracker.take(7, loaded(0, 0))
    tracker.take(7, progress(p0=100))
    tracker.take(8, loaded(0, 90))
    tracker.take(7, progress(p0=500))
    tracker.take(7, {"event": "revoked", "partitions": {"0": 100}})

    assert (tracker.owners, tracker.folded, tracker.n_reached) == ({0: 8}, {0: 90}, 100)


def test_a_partition_given_back_has_no_owner_until_it_is_taken() -> None:
    """Kept memory is an ownership like a loaded one."""
    tracker = Tracker()
    tracker.take(7, loaded(0, 0))
    tracker.take(7, progress(p0=100))
    tracker.take(7, {"event": "revoked", "partitions": {"0": 100}})
    assert tracker.owners == {} and tracker.owning() == []

    tracker.take(7, loaded(0, 100, event="kept"))
    assert tracker.owners == {0: 7} and tracker.refolded == 0


def test_workers_at_work_come_before_those_that_merely_own() -> None:
    """At work is who got further from one line to the next; a load is no work."""
    tracker = Tracker()
    tracker.take(7, loaded(0, 0))
    tracker.take(8, loaded(1, 0))
    assert tracker.owning() == [7, 8] and not tracker.moving

    tracker.take(8, progress(p1=10))
    assert tracker.owning() == [8]
    tracker.take(8, progress(p1=10))
    assert tracker.owning() == [7, 8]


def test_a_worker_that_tells_no_offsets_owns_what_it_was_assigned() -> None:
    """As the stock counter does; other lines are not for the tracker."""
    tracker = Tracker()
    tracker.take(7, {"event": "assigned", "partitions": [0, 2]})
    tracker.take(7, progress(p0=5, p2=6))
    tracker.take(7, {"event": "ready", "partitions": [0, 2]})

    assert tracker.owners == {0: 7, 2: 7} and tracker.n_reached == 11
