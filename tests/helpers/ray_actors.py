"""Actors for tests, in a module that the cluster's processes can import: workers without torch."""

from helpers import fake_workers

from pastelbot.jobs.executors.ray_actor import PaintingActor


class ObedientActor(PaintingActor):
    """Paints nothing at once, dies of "poison", and paints "slow" until it is cancelled."""

    def __init__(self):
        super().__init__(fake_workers.obedient)


class OlderActor(ObedientActor):
    """Is of another version."""

    def about(self):
        return "0.0.1"


class SteadyActor(PaintingActor):
    """Takes 0.1 s for each job."""

    def __init__(self):
        super().__init__(fake_workers.steady)
