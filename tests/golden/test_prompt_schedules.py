from pastelbot.prompt.editing import prompt_schedule


def test_schedules_are_the_recorded_ones(recorded):
    for case in recorded("prompt_schedules.json"):
        schedule = prompt_schedule(case["prompt"], case["steps"], case["hires_steps"], old=case["use_old_scheduling"])
        accepted = case.get("alternatives") or [case["schedule"]]

        assert [list(entry) for entry in schedule] in accepted, case
