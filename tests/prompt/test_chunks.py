from pastelbot.prompt.tokenization.chunks import CHUNK_LENGTH, EmbeddingNames, Placed, chunk_text
from pastelbot.prompt.tokenization.tokens import token_count

START, END, COMMA = 100, 101, 102


class Letters:
    """A tokenizer: every letter is a token."""

    start, end, comma = START, END, COMMA

    def encode(self, text):
        return [COMMA if letter == "," else ord(letter) - ord("a") for letter in text if letter != " "]


def filled(line):
    """Return how many tokens each chunk holds."""
    return [sum(token not in (START, END) for token in chunk.tokens) for chunk in line.chunks]


def test_a_chunk_has_start_tokens_and_ends():
    (chunk,) = chunk_text(Letters(), "a(b:1.5)").chunks

    assert chunk.tokens == (START, 0, 1, *[END] * 74)
    assert chunk.weights == (1.0, 1.0, 1.5, *[1.0] * 74)


def test_a_full_chunk_is_cut_at_a_near_comma():
    near = "a" * 60 + "," + "b" * 20
    far = "a" * 50 + "," + "b" * 30

    assert filled(chunk_text(Letters(), near)) == [61, 20]
    assert filled(chunk_text(Letters(), far)) == [75, 6]
    assert filled(chunk_text(Letters(), near, backtrack=0)) == [75, 6]


def test_a_comma_after_a_full_chunk_opens_the_next():
    assert filled(chunk_text(Letters(), "a" * 70 + "," + "b" * 4 + ",c")) == [75, 2]


def test_break_closes_a_chunk_and_counts_it_full():
    line = chunk_text(Letters(), "a BREAK b")

    assert filled(line) == [1, 1]
    assert (line.token_count, line.limit) == (76, 150)
    assert filled(chunk_text(Letters(), "a BREAK")) == [1]


def test_without_emphasis_brackets_are_letters():
    assert chunk_text(Letters(), "(a)", emphasis="None").token_count == 3


def test_embeddings_are_placed_by_their_longest_name():
    names = EmbeddingNames({"ab": 2, "abc": 3}, Letters())
    (chunk,) = chunk_text(Letters(), "xabcd", embeddings=names).chunks

    assert chunk.embeddings == (Placed(1, "abc", 3),)
    assert chunk.tokens[:6] == (START, ord("x") - ord("a"), 0, 0, 0, 3)


def test_an_embedding_that_does_not_fit_goes_whole_into_the_next_chunk():
    names = EmbeddingNames({"z": 4}, Letters())
    first, second = chunk_text(Letters(), "a" * 73 + "z", embeddings=names).chunks

    assert first.embeddings == ()
    assert second.embeddings == (Placed(0, "z", 4),)


def test_an_embedding_moves_with_the_tokens_after_a_comma():
    names = EmbeddingNames({"z": 2}, Letters())
    first, second = chunk_text(Letters(), "a" * 70 + ",bz" + "c" * 4, embeddings=names).chunks

    assert (first.embeddings, second.embeddings) == ((), (Placed(1, "z", 2),))
    assert len(second.tokens) == CHUNK_LENGTH + 2


def test_the_longest_text_of_a_prompt_is_counted():
    assert token_count(Letters(), "a[b:ccc:0.5] AND a <lora:long_name:1>") == (4, 75)


def test_a_prompt_with_an_error_is_counted_as_it_stands():
    assert token_count(Letters(), "(a:1.2.3)") == (9, 75)
