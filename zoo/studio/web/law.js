// The power-law Maxwell solid, dσ/dt = E dε/dt − (σ/ν0)|σ/σ0|^(m−1), to about 1e-7 σ0.

/**
 * Stress at the end of a step of constant strain rate.
 *
 * Classical Runge–Kutta in steps of a twentieth of the shortest relaxation time on the way; below
 * m = 2 the law is not smooth at zero stress, and more steps take the place of the order.
 */
export function advanceStress(stress, rate, dt, { modulus_mpa, nu0_s, sigma0_mpa, exponent }) {
  const pull = (rate * modulus_mpa * nu0_s) / sigma0_mpa;
  const span = dt / nu0_s;
  let s = stress / sigma0_mpa;
  const largest = Math.max(
    Math.abs(s), Math.min(Math.abs(s) + Math.abs(pull) * span, Math.abs(pull) ** (1 / exponent)));
  const stiffness = Math.max(1, exponent) * largest ** (exponent - 1);
  const count = Math.min(20000, Math.max(exponent < 2 ? 64 : 1, Math.ceil(20 * span * stiffness)));
  const h = span / count;
  const slope = (value) => pull - Math.sign(value) * Math.abs(value) ** exponent;
  for (let k = 0; k < count; k++) {
    const k1 = slope(s);
    const k2 = slope(s + (h / 2) * k1);
    const k3 = slope(s + (h / 2) * k2);
    const k4 = slope(s + h * k3);
    s += (h / 6) * (k1 + 2 * (k2 + k3) + k4);
  }
  return s * sigma0_mpa;
}
