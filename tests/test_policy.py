import pytest

from pastelbot import policy
from pastelbot.config import LimitSettings
from pastelbot.errors import LimitError, NotAllowedError, PromptError
from pastelbot.records import GenerationRequest, HiresFix, Job, JobStatus

LIMITS = LimitSettings()
GOOD = GenerationRequest(prompt="1girl, ((red hair))", hires=HiresFix(width=960, height=1280))


def test_the_cards_request_passes():
    policy.check_request(GOOD, LIMITS)


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"prompt": " \n"}, PromptError, ["empty"]),
        ({"prompt": "a" * 4001}, LimitError, ["4,001", "4,000"]),
        ({"negative_prompt": "a" * 4001}, LimitError, ["negative prompt", "4,000"]),
        ({"prompt": "1girl, (hair:1.2.3)"}, PromptError, ["prompt"]),
        ({"width": 1288}, LimitError, ["width", "1288", "1280"]),
        ({"height": 450}, LimitError, ["height", "multiple of 8"]),
        ({"width": 0}, LimitError, ["width"]),
        ({"steps": 61}, LimitError, ["61", "60"]),
        ({"steps": 0}, LimitError, ["steps"]),
        ({"cfg_scale": 31}, LimitError, ["CFG", "30"]),
        ({"cfg_scale": 0.5}, LimitError, ["CFG"]),
        ({"count": 5}, LimitError, ["pictures", "4"]),
        ({"seed": 2**32}, LimitError, ["seed", "4294967295"]),
        ({"seed": -2}, LimitError, ["seed"]),
        ({"hires": HiresFix(width=4096, height=4096)}, LimitError, ["4096x4096", "2048"]),
        ({"width": 1280, "hires": HiresFix(scale=2)}, LimitError, ["2560", "2048"]),
    ],
)
def test_refusals_name_cause_and_limit(changes, error, words):
    with pytest.raises(error) as caught:
        policy.check_request(GOOD.replace(**changes), LIMITS)

    for word in words:
        assert word in str(caught.value)


def test_only_owner_and_moderators_may(clock):
    job = Job(id="a", user_id=1, request=GOOD, status=JobStatus.DONE, created_at=clock())

    policy.check_owner(job, 1, is_moderator=False)
    policy.check_owner(job, 2, is_moderator=True)
    with pytest.raises(NotAllowedError):
        policy.check_owner(job, 2, is_moderator=False)
