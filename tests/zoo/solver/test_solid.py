"""The three-dimensional UMAT of a hyperelastic-viscous solid, run by a small Fortran program."""

import shutil
import subprocess

import keras
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from zoo import solver
from zoo.cells.material import SolidCell

DRIVER = """
program drive
  implicit none
  real(8) :: stress(6), statev(24), ddsdde(6, 6), sse, spd, s, t(6), stran(6), f(3, 3), dt, cut
  real(8) :: d3(3, 3), tm(2), c3(3), props(40)
  character(len=80) :: name
  integer :: k(4), n, m, ntens, ndi, nprops, steps, i
  read *, ntens, nprops, steps
  read *, props(1:nprops)
  name = 'X'; statev = 0; stress = 0; sse = 0; spd = 0; s = 0; t = 0; d3 = 0; stran = 0; k = 0
  tm = 0; c3 = 0
  ndi = min(ntens, 3)
  do i = 1, steps
    read *, dt, f
    f = transpose(f)
    if (ntens == 1) t(1) = f(1, 1) - 1 - stran(1)
    cut = 1
    call umat(stress, statev, ddsdde, sse, spd, s, s, stran, stran, s, stran, t, tm, dt, s, s, &
      stran, stran, name, ndi, ntens - ndi, ntens, 24, props, nprops, c3, d3, cut, s, d3, f, 1, &
      1, 1, 1, k, 1)
    stran(1) = stran(1) + t(1)
    print '(99es25.16)', stress, ((ddsdde(n, m), m=1, 6), n=1, 6), sse, spd, cut, statev
  end do
end program
"""
KINDS = [("convex", "linear"), ("yeoh", "power")]  # the first one holds Mooney and Rivlin's


class Umat:
    """A compiled UMAT."""

    def __init__(self, folder, cell, errors="standard"):
        if shutil.which("gfortran") is None:
            pytest.skip("gfortran is not installed")
        self.program = folder / "drive"
        self.props = list(solver.solid_constants(cell, bulk_ratio=20.0).values())
        source = folder / "solid.f90"
        source.write_text(solver.solid_umat(cell, "solid", errors) + DRIVER)
        traps = ["-fcheck=all", "-ffpe-trap=invalid,zero"]
        subprocess.run(["gfortran", "-w", *traps, "-o", self.program, source], check=True)

    def run(self, times, gradients, ntens=6):
        """Stress, tangent, energy, dissipation, PNEWDT and STATEV after every step."""
        words = [f"{ntens} {len(self.props)} {len(times)}", " ".join(map(repr, self.props))]
        words += [
            " ".join(map(repr, map(float, [dt, *np.ravel(f)])))
            for dt, f in zip(times, gradients, strict=True)
        ]
        done = subprocess.run(
            [self.program], input="\n".join(words), capture_output=True, text=True, check=True
        )
        rows = np.array([line.split() for line in done.stdout.splitlines()], float)
        return rows[:, :6], rows[:, 6:42].reshape(-1, 6, 6), rows[:, 42:45], rows[:, 45:]


@pytest.fixture(scope="module", params=KINDS, ids=" ".join)
def solid(request, tmp_path_factory):
    """A cell in double precision, with weights of its own, and its UMAT."""
    energy, viscosity = request.param
    cell = SolidCell(
        energy,
        branches=2,
        modulus=3.0,
        viscosity=viscosity,
        dtype="float64",
        show=("stress", "energy", "dissipation"),
    )
    cell.build((None, 3))
    rng = np.random.default_rng(3)
    for weight in cell.weights:
        weight.assign(weight + 0.3 * rng.standard_normal(weight.shape))
    return cell, Umat(tmp_path_factory.mktemp("umat"), cell)


def loop():
    """A loop to a stretch of 3, back to 0.5, and a hold."""
    stretch = np.concatenate(
        [np.linspace(1, 3, 16)[1:], np.linspace(3, 0.5, 25)[1:], np.full(5, 0.5)]
    )
    return stretch, np.random.default_rng(0).uniform(0.02, 0.3, len(stretch))


def matrix(six):
    return np.array([[six[0], six[3], six[4]], [six[3], six[1], six[5]], [six[4], six[5], six[2]]])


def wandering(steps=10):
    """Deformation gradients of a path with shear and rotation."""
    rng = np.random.default_rng(5)
    one, two = rng.standard_normal((2, 3, 3))
    times = np.arange(1, steps + 1) / steps
    return [np.eye(3) + 0.2 * (t * one + np.sin(5 * t) * two) for t in times]


def test_uniaxial_loops_equal_the_cell(solid):
    cell, umat = solid
    stretch, times = loop()
    old, state, expected = 1.0, [keras.ops.zeros((1, 2), "float64")], []
    for now, dt in zip(stretch, times, strict=True):
        row = np.array([[now - 1.0, (now - old) / dt, dt]])
        emitted, state = cell(row, state)
        expected.append(np.asarray(emitted)[0])
        old = now
    force, stored, lost = np.array(expected).T
    scale = np.abs(force).max()
    stress, _, energies, _ = umat.run(times, [np.diag([each, 1, 1]) for each in stretch], ntens=1)
    assert np.abs(stress[:, 0] - force).max() < 1e-10 * scale
    # In three dimensions, at constant volume: P = (σ₁₁ − σ₂₂)/λ, whatever the pressure.
    across = stretch**-0.5
    stress, _, energies, _ = umat.run(
        times, [np.diag(each) for each in zip(stretch, across, across, strict=True)]
    )
    assert np.abs((stress[:, 0] - stress[:, 1]) / stretch - force).max() < 1e-10 * scale
    assert np.abs(energies[:, 0] - stored).max() < 1e-10 * scale
    assert np.abs(energies[:, 1] - np.cumsum(lost)).max() < 1e-9 * scale


def test_uniaxial_tangent_is_the_derivative(solid):
    _, umat = solid
    times, stretch, step = np.full(6, 0.1), np.linspace(1.1, 1.6, 6), 1e-6
    answers = []
    for last in (stretch[-1] - step, stretch[-1] + step):
        path = [np.diag([each, 1, 1]) for each in (*stretch[:-1], last)]
        stress, tangent, _, _ = umat.run(times, path, ntens=1)
        answers.append((stress[-1, 0], tangent[-1, 0, 0]))
    (low, left), (high, right) = answers
    assert (high - low) / (2 * step) == pytest.approx((left + right) / 2, rel=1e-8)


def test_the_law_is_objective(solid):
    _, umat = solid
    path, times = wandering(), np.full(10, 0.2)
    turns = Rotation.from_rotvec(np.random.default_rng(1).standard_normal((10, 3))).as_matrix()
    still, _, energy, state = umat.run(times, path)
    turned, _, same, same_state = umat.run(times, [q @ f for q, f in zip(turns, path, strict=True)])
    expected = [q @ matrix(s) @ q.T for q, s in zip(turns, still, strict=True)]
    worst = np.abs(np.array(expected) - [matrix(s) for s in turned]).max()
    assert worst < 1e-12 * np.abs(still).max()
    np.testing.assert_allclose(same[:, :2], energy[:, :2], rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(same_state, state, rtol=1e-10, atol=1e-12)


def test_the_law_is_isotropic(solid):
    _, umat = solid
    path, times = wandering(), np.full(10, 0.2)
    turn = Rotation.from_rotvec([0.3, -1.0, 2.0]).as_matrix()
    still, _, _, _ = umat.run(times, path)
    turned, _, _, _ = umat.run(times, [f @ turn for f in path])
    np.testing.assert_allclose(turned, still, atol=1e-12 * np.abs(still).max())


def test_dissipation_is_never_negative_and_balances_the_work(solid):
    """Work of the stress = energy stored + dissipated, up to the rule of integration."""
    _, umat = solid
    fine = [np.eye(3) + t * (f - np.eye(3)) for f in wandering(1) for t in np.linspace(0, 1, 401)]
    times = np.full(len(fine), 0.005)
    stress, _, energies, _ = umat.run(times, fine)
    assert (np.diff(energies[:, 1]) >= 0).all() and energies[0, 1] == 0
    nominal = [
        np.linalg.det(f) * matrix(s) @ np.linalg.inv(f).T for f, s in zip(fine, stress, strict=True)
    ]
    mean = (np.array(nominal[1:]) + nominal[:-1]) / 2
    work = np.sum(mean * np.diff(fine, axis=0))
    assert energies[-1, 0] + energies[-1, 1] == pytest.approx(work, rel=1e-4)


def derivative_of_tau(umat, path, times, step=1e-6):
    """Kirchhoff stress by strain of the last increment, without spin, by central differences."""
    rows, columns = (0, 1, 2, 0, 0, 1), (0, 1, 2, 1, 2, 2)
    numeric = np.empty((6, 6))
    for m in range(6):
        pure = np.zeros((3, 3))
        pure[rows[m], columns[m]] += 0.5
        pure[columns[m], rows[m]] += 0.5
        ends = []
        for sign in (1, -1):
            last = (np.eye(3) + sign * step * pure) @ path[-1]
            stress, _, _, _ = umat.run(times, [*path[:-1], last])
            ends.append(stress[-1] * np.linalg.det(last))
        numeric[:, m] = (ends[0] - ends[1]) / (2 * step)
    return numeric


def test_ddsdde_is_that_of_the_jaumann_rate(solid):
    _, umat = solid
    path, times = wandering(), np.full(10, 0.2)
    _, tangent, _, _ = umat.run(times, path)
    numeric = derivative_of_tau(umat, path, times) / np.linalg.det(path[-1])
    assert np.abs(tangent[-1] - numeric).max() < 1e-7 * np.abs(numeric).max()


def test_calculix_gets_the_derivative_of_its_own_stress(solid, tmp_path):
    """Its subroutine pulls both back by U: S = J U⁻¹ s U⁻¹, dS/dE = U⁻¹ U⁻¹ D U⁻¹ U⁻¹."""
    cell, _ = solid
    umat = Umat(tmp_path, cell, "calculix")
    path, times = wandering(), np.full(10, 0.2)

    def second_piola(last):
        stress, tangent, _, _ = umat.run(times, [*path[:-1], last])
        values, vectors = np.linalg.eigh(last.T @ last)
        back = vectors / np.sqrt(values) @ vectors.T
        return np.linalg.det(last) * back @ matrix(stress[-1]) @ back, tangent[-1], back

    _, tangent, back = second_piola(path[-1])
    places = [(0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2)]
    full = np.empty((3, 3, 3, 3))
    for n, (i, j) in enumerate(places):
        for m, (k, o) in enumerate(places):
            for a, b in {(i, j), (j, i)}:
                for c, d in {(k, o), (o, k)}:
                    full[a, b, c, d] = tangent[n, m]
    pulled = np.einsum("ia,jb,kc,ld,abcd->ijkl", back, back, back, back, full)
    change = np.random.default_rng(2).standard_normal((3, 3)) * 1e-6
    high, low = (second_piola(path[-1] + sign * change)[0] for sign in (1, -1))
    strain = (path[-1].T @ change + change.T @ path[-1]) / 2
    expected = np.einsum("ijkl,kl->ij", pulled, strain)
    np.testing.assert_allclose((high - low) / 2, expected, atol=1e-6 * np.abs(expected).max())


def test_steps_of_no_time_and_impossible_steps(solid):
    _, umat = solid
    bent = wandering()[-1]
    inside_out = np.diag([1.0, 1.0, -1.0]) @ bent
    stress, tangent, energies, state = umat.run(
        [0.0, 0.1, 0.0, 0.1], [np.eye(3), bent, bent, inside_out]
    )
    assert not stress[0].any() and not state[0].any() and np.isfinite(tangent).all()
    assert np.linalg.eigvalsh(tangent[0])[0] > 0  # at rest it is an elastic stiffness
    np.testing.assert_array_equal(state[2], state[1])
    np.testing.assert_array_equal(stress[2], stress[1])
    assert energies[2, 1] == energies[1, 1]
    np.testing.assert_array_equal(state[3], state[2])
    assert energies[3, 2] == 0.25


def test_plane_strain_is_a_part_of_the_whole(solid):
    _, umat = solid
    path = [np.eye(3) + t * np.diag([1, 1, 0]) @ np.ones((3, 3)) * 0.2 for t in (0.3, 0.6, 1.0)]
    path = [
        np.block([[f[:2, :2], np.zeros((2, 1))], [np.zeros((1, 2)), np.ones((1, 1))]]) for f in path
    ]
    whole, tangent, _, _ = umat.run([0.1] * 3, path)
    flat, _, _, _ = umat.run([0.1] * 3, path, ntens=4)
    np.testing.assert_array_equal(flat[:, :4], whole[:, :4])
    assert tangent.shape == (3, 6, 6)


def test_a_linear_spring_has_no_form_of_invariants():
    cell = SolidCell("linear")
    cell.build((None, 3))
    with pytest.raises(ValueError, match="an energy of invariants, one of neo-hooke"):
        solver.solid_umat(cell, "solid")
