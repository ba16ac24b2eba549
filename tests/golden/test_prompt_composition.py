from pastelbot.prompt.composition import compose


def test_parts_and_weights_of_compositions_are_the_recorded_ones(recorded):
    for case in recorded("multicond.json"):
        composition = compose(case["prompts"])

        assert case["flat"] == list(composition.texts), case
        assert case["indexes"] == [[list(part) for part in image] for image in composition.images], case
        assert case["prompt_indexes"] == {text: index for index, text in enumerate(composition.texts)}, case
