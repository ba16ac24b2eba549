"""Calls of a UNet that run compiled where they can: never waited for, never wrong, never an error."""

import gc
import threading
import weakref

import pytest
import torch

from pastelbot.diffusion.backends.compiled_unet import CompiledUnet
from pastelbot.diffusion.lora.patch import NO_LORAS, Patch

X, T, CONTEXT = torch.ones(2, 4, 8, 8), torch.ones(2), torch.ones(2, 77, 16)
OTHER = torch.ones(2, 4, 16, 8)


class Lora:
    """Stands for a LoRA; of strength 0, it changes no layer."""

    def __init__(self, identity):
        self.identity = identity


class FakeUnet:
    """Answers with twice the latents and counts its calls."""

    dtype = torch.float32

    def __init__(self):
        self.calls = 0

    def __call__(self, x, _t, _context, *, return_dict):
        assert not return_dict
        self.calls += 1
        return (x * 2,)


class FakeCompiler:
    """Hands out `answer` for every bucket, and remembers the buckets."""

    name, tolerance, rows, has_loras_inside = "fake", 1e-4, 2, True

    def __init__(self, answer=lambda x, _t, _context: x * 2.00001):
        self.answer, self.buckets, self.kept, self.meanwhile = answer, [], set(), lambda: None

    def has(self, bucket, *, threads):
        assert threads == torch.get_num_threads()
        return bucket in self.kept

    def compile(self, bucket, *, threads, unchanged):
        assert threads == torch.get_num_threads()
        self.buckets.append(bucket)
        self.meanwhile()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer if unchanged() else None


@pytest.fixture
def unet():
    return FakeUnet()


@pytest.fixture
def weights():
    return Patch(dict)


def compiled(unet, weights, compiler, **options):
    return CompiledUnet(unet, weights, compiler, start=lambda work: work(), **options)


def call(network, times, x=X):
    """Call so many times; return the answers."""
    return [network(x, T, CONTEXT)[0] for _ in range(times)]


def test_a_shape_is_compiled_when_it_came_often_enough_and_then_answers(unet, weights):
    compiler = FakeCompiler()
    network = compiled(unet, weights, compiler)

    answers = call(network, 3)
    assert compiler.buckets == []
    answers += call(network, 4)

    (bucket,) = compiler.buckets
    assert (bucket.latents, bucket.tokens, bucket.loras) == ((2, 4, 8, 8), 77, ())
    # Four calls before, the one that proves it, and none after.
    assert unet.calls == 5
    assert [float(answer.max()) for answer in answers] == pytest.approx([2.0] * 5 + [2.00002] * 2, abs=1e-5)


def test_a_shape_of_the_cache_is_ready_after_one_call(unet, weights):
    first, second = FakeCompiler(), FakeCompiler()
    call(compiled(unet, weights, first), 4)
    second.kept = set(first.buckets)
    unet.calls = 0

    call(compiled(unet, weights, second), 9)

    assert unet.calls == 2


def test_what_answers_otherwise_is_not_used(unet, weights):
    network = compiled(unet, weights, FakeCompiler(lambda x, _t, _context: x * 2.1))

    answers = call(network, 9)

    assert (unet.calls, {float(answer.max()) for answer in answers}) == (9, {2.0})


@pytest.mark.parametrize("invalid", [torch.nan, torch.inf])
def test_invalid_numbers_are_not_used(unet, weights, invalid):
    network = compiled(unet, weights, FakeCompiler(lambda x, _t, _context: x * invalid))

    assert all(torch.isfinite(answer).all() for answer in call(network, 9))


@pytest.mark.parametrize("error", [RuntimeError("no such operation"), MemoryError(), OSError("no compiler")])
def test_a_compiler_that_fails_is_not_asked_again_for_that_shape(unet, weights, error):
    compiler = FakeCompiler(error)
    network = compiled(unet, weights, compiler)

    call(network, 20)
    call(network, 20, OTHER)

    assert [bucket.latents for bucket in compiler.buckets] == [tuple(X.shape), tuple(OTHER.shape)]
    assert unet.calls == 40


def test_a_compiled_call_that_fails_is_answered_by_torch(unet, weights):
    def fails(*_tensors):
        raise RuntimeError("out of memory")

    network = compiled(unet, weights, FakeCompiler(fails))

    assert {float(answer.max()) for answer in call(network, 9)} == {2.0}


def test_loras_have_compiled_networks_of_their_own(unet, weights):
    compiler = FakeCompiler()
    network = compiled(unet, weights, compiler)
    call(network, 6)
    weights.use(((Lora("one"), 0.0),))
    call(network, 6)
    weights.use(NO_LORAS)
    unet.calls = 0
    call(network, 6)

    assert [bucket.loras for bucket in compiler.buckets] == [(), (("one", 0.0),)]
    assert unet.calls == 0


def test_loras_share_a_compiled_network_that_takes_the_weights_of_the_moment(unet, weights):
    compiler = FakeCompiler()
    compiler.has_loras_inside = False
    network = compiled(unet, weights, compiler)
    call(network, 6)
    weights.use(((Lora("one"), 0.0),))
    call(network, 6)

    assert [bucket.loras for bucket in compiler.buckets] == [()]
    assert unet.calls == 5  # four before, and one to compare


def test_what_was_compiled_while_the_weights_changed_is_thrown_away(unet, weights):
    compiler = FakeCompiler()
    network = compiled(unet, weights, compiler)

    def change():
        weights.use(((Lora("one"), 0.0),))
        weights.use(NO_LORAS)
        compiler.meanwhile = lambda: None

    compiler.meanwhile = change
    call(network, 12)

    assert len(compiler.buckets) == 2
    assert unet.calls == 9


def test_shapes_that_take_turns_do_not_replace_each_other(unet, weights):
    compiler = FakeCompiler()
    network = compiled(unet, weights, compiler, kept=1)

    for _ in range(40):
        call(network, 6)
        call(network, 6, OTHER)

    assert len(compiler.buckets) == 1


def test_a_shape_that_comes_very_often_replaces_another(unet, weights):
    compiler = FakeCompiler()
    network = compiled(unet, weights, compiler, kept=1)
    call(network, 6)
    call(network, 1002, OTHER)
    unet.calls = 0

    call(network, 1, OTHER)
    assert unet.calls == 0
    call(network, 1)
    assert unet.calls == 1


def test_what_was_compiled_is_taken_over_by_the_thread_that_calls(unet, weights):
    """A compiler's thread that ends between two calls changes nothing that a call reads."""
    compiler, ends = FakeCompiler(), []
    network = CompiledUnet(unet, weights, compiler, start=ends.append)
    call(network, 10)
    assert (unet.calls, len(ends)) == (10, 1)

    ends.pop()()
    call(network, 2)

    assert unet.calls == 11


def test_loras_are_not_held_in_memory(unet, weights):
    lora = Lora("one")
    seen = weakref.ref(lora)
    network = compiled(unet, weights, FakeCompiler())
    weights.use(((lora, 0.0),))
    call(network, 6)
    weights.use(NO_LORAS)
    del lora
    gc.collect()

    assert seen() is None
    call(network, 1)


def test_a_thread_compiles_while_torch_answers(unet, weights):
    go, done = threading.Event(), threading.Event()
    compiler = FakeCompiler()
    compiler.meanwhile = lambda: go.wait(30)
    compiler.answer = lambda x, _t, _context: (done.set(), x * 2)[1]
    network = CompiledUnet(unet, weights, compiler)

    call(network, 10)
    assert unet.calls == 10
    go.set()
    while not done.is_set():
        call(network, 1)
    unet.calls = 0
    call(network, 9)

    assert unet.calls <= 1
    assert len(compiler.buckets) == 1
