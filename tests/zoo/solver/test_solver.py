"""Compiled step models answer as Keras does, and their tangent is the derivative."""

import ctypes
import json
import re
import shutil
import subprocess

import keras
import numpy as np
import pytest

from zoo import presets, solver
from zoo.data import hysteresis
from zoo.recurrent import step_model

STEPS = 40
CELLS = (*presets.RECURRENT, *presets.MATERIAL, *presets.SOLIDS)
CELLS = tuple(name for name in CELLS if name != "armstrong-frederick")  # a setting of chaboche
# Loops that are unrolled into the program: two or three turns, and the C file takes seconds less.
FEWER = {
    "bouc-wen": {"substeps": 2},
    "chaboche": {"iterations": 3},
    "power-solid": {"substeps": 2},
    "standard-material": {"steps": 2},
}


@pytest.fixture(scope="module")
def data():
    return hysteresis.split("walk", paths=4, seed=5, steps=STEPS)


@pytest.fixture(scope="module", params=CELLS)
def model(request, data):
    """A model whose weights are not those that it was born with."""
    keras.utils.set_random_seed(0)  # whatever ran before: rounding grows with some weights
    if request.param in presets.RECURRENT:
        units = 6 if request.param in ("rnn", "gru", "lstm") else 3  # others have more operations
        preset = presets.recurrent(request.param, layers=2, units=units)
    else:
        preset = presets.material(request.param, **FEWER.get(request.param, {}))
    model = preset.build(data.x, data.y)
    rng = np.random.default_rng(1)
    model.set_weights([w + 0.1 * rng.standard_normal(w.shape) for w in model.get_weights()])
    return model


@pytest.fixture(scope="module")
def program(model):
    return solver.trace(step_model(model), "test_model")


@pytest.fixture(scope="module")
def expected(model, data):
    """Answers of Keras to the first path."""
    return keras_answers(model, data.x[0])


def keras_answers(model, x):
    """Stress and tangent of every step of one path, states fed back, by Keras and GradientTape."""
    import tensorflow as tf

    step = step_model(model)
    scalar = tf.TensorSpec((1, 1))
    states = {n: tf.zeros((1, t.shape[-1])) for n, t in step.input.items() if n != "x"}
    specs = {name: tf.TensorSpec(value.shape) for name, value in states.items()}

    @tf.function(input_signature=[scalar, scalar, scalar, specs])
    def one_step(old, new, dt, states):
        with tf.GradientTape() as tape:
            tape.watch(new)
            row = tf.concat([new, (new - old) / dt, dt], axis=-1)
            outputs = step({"x": row, **states})
        return outputs, tape.gradient(outputs["prediction"], new)

    old, answers = 0.0, []
    for strain, _, dt in x:
        numbers = [tf.constant([[value]], tf.float32) for value in (old, strain, dt)]
        outputs, tangent = one_step(*numbers, states)
        answers.append((outputs["prediction"].numpy().item(), tangent.numpy().item()))
        states = {name: outputs[f"{name}_next"] for name in states}
        old = strain
    return np.array(answers)


def compiled_answers(function, size, x):
    """The same by a compiled function of C's calling convention, called as an app would."""
    double = ctypes.c_double
    state, stress, tangent = (double * size)(), double(), double()
    old, answers = 0.0, []
    for strain, _, dt in x.astype(np.float64):
        function(old, strain, dt, state, state, ctypes.byref(stress), ctypes.byref(tangent))
        answers.append((stress.value, tangent.value))
        old = strain
    return np.array(answers)


def compiled(tmp_path, compiler, file, text, *options):
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    source, library = tmp_path / file, tmp_path / "step.so"
    source.write_text(text)
    command = [
        compiler,
        "-O1",
        "-Wall",
        "-Wextra",
        "-Wno-unused-but-set-variable",
        "-shared",
        "-fPIC",
        *options,
    ]
    done = subprocess.run(
        [*command, str(source), "-o", str(library), "-lm"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[:2000]
    assert "error" not in done.stderr
    return ctypes.CDLL(str(library)), done.stderr


def assert_alike(answers, expected):
    size = np.sqrt(np.mean(expected**2, axis=0))
    assert np.abs(answers - expected)[:, 0].max() < 1e-6 * max(1.0, size[0])
    assert np.abs(answers - expected)[:, 1].max() < 1e-5 * max(1.0, size[1])


@pytest.mark.parametrize("source", [solver.c_source, solver.fortran_source], ids=["C", "Fortran"])
def test_a_file_says_which_strain_it_takes_and_where_it_is_zero(data, source):
    model = presets.material("maxwell").build(data.x, data.y)
    text = source(solver.trace(step_model(model), "model"))
    words = " ".join(line.strip("/! ") for line in text.splitlines() if line[:1] in "/!")
    words = " ".join(words.split())
    assert "small strain at the beginning and the end of the step [-]: zero at rest" in words
    assert "of a stretch: stretch - 1" in words
    assert "stretch_old" not in text


def test_c_answers_as_keras(model, program, expected, data, tmp_path):
    library, warnings = compiled(
        tmp_path, "gcc", "step.c", solver.c_source(program), "-std=c99", "-pedantic"
    )
    assert warnings == ""
    function = library.test_model_step
    function.argtypes = [ctypes.c_double] * 3 + [ctypes.c_void_p] * 4
    for path, answers_of_keras in ((data.x[0], expected), (data.x[1], None)):
        answers = compiled_answers(function, len(program.next_states), path)
        if answers_of_keras is None:
            answers_of_keras = keras_answers(model, path)
        assert_alike(answers, answers_of_keras)


def test_arguments_are_called_by_the_loading_and_the_response(data, tmp_path):
    program = solver.trace(step_model(presets.material("prony").build(data.x, data.y)), "damper")
    plain, _ = compiled(tmp_path, "gcc", "plain.c", solver.c_source(program))
    program.loading, program.response = ("displacement", "mm"), ("double", "N")
    source = solver.c_source(program)
    assert "damper_step(double displacement_old, double displacement, double duration," in source
    assert "double *double_value, double *tangent)" in source  # no word of the language
    assert not re.search(r"\b(strain|stress)(_old)?\b", source)
    named = tmp_path / "named"
    named.mkdir()
    library, warnings = compiled(named, "gcc", "step.c", source, "-std=c99", "-pedantic")
    assert warnings == ""
    answers = []
    for function in (plain.damper_step, library.damper_step):
        function.argtypes = [ctypes.c_double] * 3 + [ctypes.c_void_p] * 4
        answers.append(compiled_answers(function, len(program.next_states), data.x[0]))
    assert np.array_equal(*answers) and np.abs(answers[0]).max() > 0.1
    assert "(displacement_old, displacement, duration, " in solver.fortran_source(program)
    script = solver.javascript_source(program)
    assert "step(displacement_old, displacement, duration, state_old, state)" in script


NODE = """
import { name, size, states, step } from "./step.mjs";
import { readFileSync } from "node:fs";
const state = new Float64Array(size);
let old = 0;
const answers = JSON.parse(readFileSync("x.json", "utf8")).map(([strain, , dt]) => {
  const answer = step(old, strain, dt, state, state);
  old = strain;
  return answer;
});
const before = Array.from(state);
const after = new Float64Array(size);
const rest = step(old, old, 0, state, after);
console.log(JSON.stringify({ name, states, answers, before, after: Array.from(after), rest }));
"""


def run_node(tmp_path, source, x):
    """What a page gets from a module: answers to a path, then to a step of no time."""
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    (tmp_path / "step.mjs").write_text(source)
    (tmp_path / "run.mjs").write_text(NODE)
    (tmp_path / "x.json").write_text(json.dumps(x.tolist()))
    done = subprocess.run(["node", "run.mjs"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:2000]
    return json.loads(done.stdout)


def test_javascript_answers_as_keras(program, expected, data, tmp_path):
    result = run_node(tmp_path, solver.javascript_source(program), data.x[0])
    assert_alike(np.array(result["answers"]), expected)
    assert result["name"] == "test_model"
    assert [(name, width) for name, _, width in result["states"]] == list(program.states.items())
    assert result["after"] == result["before"] and any(result["before"])
    assert np.isfinite(result["rest"]).all()


def test_fortran_answers_as_keras(program, expected, data, tmp_path):
    size = len(program.next_states)
    # A thin shell that C can call; Fortran hands everything over by reference.
    shell = f"""
subroutine shell(old, new, dt, state, stress, tangent) bind(c)
  use iso_c_binding
  implicit none
  real(c_double), value :: old, new, dt
  real(c_double) :: state({size}), next({size}), stress, tangent
  call test_model_step(old, new, dt, state, next, stress, tangent)
  state = next
end subroutine
"""
    library, _ = compiled(
        tmp_path, "gfortran", "step.f90", solver.fortran_source(program) + shell, "-std=f2008"
    )
    shell_function = library.shell
    shell_function.argtypes = [ctypes.c_double] * 3 + [ctypes.c_void_p] * 3

    def function(old, new, dt, state, _same, stress, tangent):
        shell_function(old, new, dt, state, stress, tangent)

    answers = compiled_answers(function, size, data.x[0])
    assert_alike(answers, expected)


UMAT_DRIVER = """
program drive
  implicit none
  real(8) :: stress({ntens}), statev({nstatv}), ddsdde({ntens},{ntens}), s, t({ntens}), u({ntens})
  real(8) :: d3(3,3), tm(2), c3(3), strain({ntens}), increment({ntens}), h, sse, spd, cut, props(9)
  character(len=80) :: name
  integer :: k(4), n
  statev = 0; name = 'SOLID'; sse = 0; spd = 0; props = [{props}]
  s = 0; t = 0; u = 0; d3 = 0; tm = 0; c3 = 0; k = 0; stress = 0; strain = 0
  do n = 1, 6
    increment = 0.1d0
    h = 0.05d0
    cut = 1
    if (n == 1 .or. n == 4) then  ! no time passes, nothing moves
      increment = 0
      h = 0
    end if
    if (n == 6) h = {last}
    call umat(stress, statev, ddsdde, sse, spd, s, s, t, t, s, strain, increment, tm, &
      h, s, s, t, t, name, {ndi}, {nshr}, {ntens}, {nstatv}, props, {nprops}, c3, d3, cut, s, d3, &
      d3, 1, 1, 1, 1, k, 1)
    strain = strain + increment
    print '(9es24.16)', stress(1), ddsdde(1,1), statev(1), sse, spd, cut
  end do
end program
"""
ABAQUS = """
subroutine stdb_abqerr(kind, text, intv, realv, charv)
  integer :: kind, intv(*)
  real(8) :: realv(*)
  character(len=*) :: text, charv(*)
  print '(i0, 1x, a)', kind, text
end subroutine
subroutine xit
  stop 9
end subroutine
"""


def run_umat(tmp_path, source, ntens=1, nstatv=1, props=(), last="0.05d0"):
    if shutil.which("gfortran") is None:
        pytest.skip("gfortran is not installed")
    ndi, nshr = (1, 0) if ntens == 1 else (3, 3)
    given = [*props, *[0.0] * (9 - len(props))]
    driver = UMAT_DRIVER.format(
        ntens=ntens,
        nstatv=nstatv,
        ndi=ndi,
        nshr=nshr,
        nprops=len(props),
        last=last,
        props=", &\n".join(f"{value:.9f}d0" for value in given),
    )
    (tmp_path / "solid.f90").write_text(source + driver)
    subprocess.run(
        ["gfortran", "-w", "-o", str(tmp_path / "solid"), str(tmp_path / "solid.f90")], check=True
    )
    return subprocess.run([str(tmp_path / "solid")], capture_output=True, text=True)


@pytest.fixture(scope="module")
def prony(data):
    return presets.material("prony", moduli=[1.7], times=[0.4]).build(data.x, data.y)


def test_the_umat_takes_abaqus_arguments_and_survives_increments_of_no_time(prony, tmp_path):
    program = solver.trace_law(prony, "solid")
    assert program.constants.keys() == {"moduli", "times"}
    done = run_umat(tmp_path, solver.fortran_source(program))
    assert done.returncode == 0, done.stderr
    answers = np.array([line.split() for line in done.stdout.splitlines()], float)
    strain = np.array([0.1, 0.2, 0.3])
    x = np.stack([strain, np.full(3, 2.0), np.full(3, 0.05)], axis=-1).astype(np.float32)
    moving, still = [1, 2, 4], [0, 3]
    assert_alike(answers[moving, :2], keras_answers(prony, x))
    # stress and state stay; the tangent of a Maxwell solid in no time is its modulus
    np.testing.assert_array_equal(answers[still, 0], [0.0, answers[2, 0]])
    np.testing.assert_array_equal(answers[still, 2], [0.0, answers[2, 2]])
    np.testing.assert_allclose(answers[still, 1], 1.7, rtol=1e-6)


def test_the_umat_takes_its_constants_from_props_and_fills_sse_and_spd(prony, tmp_path):
    source = solver.fortran_source(solver.trace_law(prony, "solid"))
    done = run_umat(tmp_path, source, props=(2.5, 0.8))
    stress, _, state, stored, lost, cut = np.array(
        [line.split() for line in done.stdout.splitlines()], float
    ).T
    # A Maxwell element of E = 2.5, τ = 0.8 at a strain rate of 2: σ = E τ 2 (1 − e^(−t/τ)).
    time = 0.05 * np.array([1, 2, 3, 4])
    exact = 2.5 * 0.8 * 2.0 * -np.expm1(-time / 0.8)
    np.testing.assert_allclose(stress[[1, 2, 4, 5]], exact, rtol=1e-10)
    np.testing.assert_allclose(stored[[1, 2, 4, 5]], exact**2 / 5.0, rtol=1e-10)
    # ∫ σ²/(E τ) dt of that, by hand
    part = time - 2 * 0.8 * -np.expm1(-time / 0.8) + 0.4 * -np.expm1(-2 * time / 0.8)
    np.testing.assert_allclose(lost[[1, 2, 4, 5]], 2.5 * 0.8 * 4.0 * part, rtol=1e-7)
    assert (cut == 1).all() and state[0] == 0


def test_the_umat_asks_for_shorter_increments(data, tmp_path):
    """A law where two half steps differ, a network where no training was."""
    law = presets.material("maxwell").build(data.x, data.y)
    network = presets.recurrent("gru", 1, 2).build(data.x, data.y)
    program = solver.trace(step_model(network), "solid")
    program.longest_step_s = 0.1
    traced, cuts = solver.trace_law(law, "solid"), []
    stiff = {**traced.constants, "modulus": (100.0,)}  # a stress of 10 relaxes in 0.01 s
    props = [value for values in stiff.values() for value in values]
    for source, states, given in (
        (solver.fortran_source(traced), 1, props),
        (solver.fortran_source(program), 2, ()),
    ):
        done = run_umat(tmp_path, source, nstatv=states, props=given, last="5.d0")
        cuts.append([float(line.split()[-1]) for line in done.stdout.splitlines()])
    assert cuts[0][-1] == 0.5 and cuts[0][0] == 1
    assert cuts[1] == [1, 1, 1, 1, 1, 0.1 / 5.0]


@pytest.mark.parametrize(
    ("errors", "ntens", "nstatv", "props", "code", "message"),
    [
        ("standard", 6, 1, (), 0, "solid: one stress component is needed (a truss), NTENS = 1"),
        ("standard", 1, 0, (), 0, "solid: 1 state variables are needed, *DEPVAR 1"),
        ("standard", 1, 1, (1.0,), 0, "solid: PROPS must be 2 constants, or none"),
        ("abaqus", 6, 1, (), 9, "-3 solid: one stress component is needed (a truss), NTENS = 1"),
    ],
)
def test_the_umat_refuses_what_it_cannot_serve(
    prony, tmp_path, errors, ntens, nstatv, props, code, message
):
    """By Abaqus' own error, or by NaN: never by ending the program."""
    program = solver.trace_law(prony, "solid")
    source = solver.fortran_source(program, errors)
    assert " stop" not in source
    done = run_umat(tmp_path, source + ABAQUS * (errors == "abaqus"), ntens, nstatv, props)
    assert done.returncode == code
    assert done.stdout.splitlines()[0] == message
    if not code:
        assert done.stdout.splitlines()[1].split()[:2] == ["NaN", "NaN"]


def test_a_network_has_no_constants_to_give(data):
    assert solver.trace_law(presets.recurrent("gru", 1, 2).build(data.x, data.y), "net") is None
    assert solver.trace_law(presets.material("lmsc").build(data.x, data.y), "net") is None


def test_a_step_of_no_time_leaves_every_model_as_it_is_with_a_finite_tangent(program, tmp_path):
    library, _ = compiled(tmp_path, "gcc", "step.c", solver.c_source(program), "-std=c99")
    function, size = library.test_model_step, len(program.next_states)
    function.argtypes = [ctypes.c_double] * 3 + [ctypes.c_void_p] * 4
    state, after = (ctypes.c_double * size)(), (ctypes.c_double * size)()
    stress, tangent = ctypes.c_double(), ctypes.c_double()
    outputs = (ctypes.byref(stress), ctypes.byref(tangent))
    function(0.0, 0.3, 0.05, state, state, *outputs)
    function(0.3, 0.3, 0.0, state, after, *outputs)
    assert list(after) == list(state) and any(state)
    assert np.isfinite(stress.value) and abs(tangent.value) < 100
    function(0.3, 0.31, 0.0, state, after, *outputs)  # a jump
    assert np.isfinite([stress.value, tangent.value, *after]).all()
    assert list(after) != list(state)


def test_a_jump_of_a_material_is_elastic_and_a_network_takes_its_shortest_step(data):
    for name in ("prony", "lmsc"):
        step = step_model(presets.material(name).build(data.x, data.y))
        assert solver.trace(step, name).instant_s == 1e-9
    program = solver.trace(step_model(presets.recurrent("gru", 1, 2).build(data.x, data.y)), "net")
    assert program.instant_s == 1e-2
    program.shortest_step_s = 0.025
    assert program.instant_s == 0.025


def test_a_model_of_another_kind_is_refused(data):
    import keras

    x = keras.Input((3,), name="x")
    odd = keras.Model({"x": x}, {"prediction": keras.layers.Lambda(lambda v: v)(x)})
    with pytest.raises(ValueError, match="one stress"):
        solver.trace(odd, "odd")
    with pytest.raises(ValueError, match="letters, digits"):
        solver.trace(odd, "hysteresis-lstm")


def test_an_operation_without_translation_is_named():
    import keras

    x = keras.Input((3,), name="x")
    odd = keras.Model({"x": x}, {"prediction": keras.ops.sum(keras.ops.erf(x), -1, keepdims=True)})
    with pytest.raises(ValueError, match="Erf of the model has no translation"):
        solver.trace(odd, "odd")
