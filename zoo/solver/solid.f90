! One step of the solid @NAME@ in three dimensions, and its tangent.
!
! props   bulk modulus K, then for each spring its coefficients, then relaxation times [s], then
!         the exponent of the viscosity, where it is not linear
! old,new Green-Lagrange strain at the beginning and the end of the step
! h       elastic strain H of every branch, before and after the step
! s       second Piola-Kirchhoff stress; c: its derivative with respect to the strain at the end
! energy  stored, per volume of the undeformed body; lost: dissipated in the step, not negative
! error   estimate of the error of the step, as a share of the elastic strains
subroutine @NAME@_solid(props, old, new, dt, h, s, c, energy, lost, error)
  implicit none
  integer, parameter :: energy_kind = @KIND@, coefficients = @COEFFICIENTS@, branches = @BRANCHES@
  integer, parameter :: equilibrium = @EQUILIBRIUM@, substeps = @SUBSTEPS@
  logical, parameter :: power = @POWER@
  real(8), parameter :: scale = @SCALE@  ! h_r of a power law
  real(8), parameter :: unit(3, 3) = reshape( &
    [1d0, 0d0, 0d0, 0d0, 1d0, 0d0, 0d0, 0d0, 1d0], [3, 3])
  integer, parameter :: row(6) = [1, 2, 3, 1, 1, 2], column(6) = [1, 2, 3, 2, 3, 3]
  real(8), intent(in) :: props(*), old(3, 3), new(3, 3), dt
  real(8), intent(inout) :: h(3, 3, branches)
  real(8), intent(out) :: s(3, 3), c(6, 6), energy, lost, error
  real(8) :: right(3, 3), inverse(3, 3), jacobian, q, j1, j2, a1(3, 3), b1(3, 3)
  real(8) :: w, w1, w2, w11, phi(6), share, g0(3, 3), g1(3, 3), gm(3, 3), start(3, 3)
  real(8) :: a(3, 3), b(3, 3), grad(3, 3), step(3, 3), dg(3, 3), dh(3, 3), ds(3, 3), da(3, 3)
  real(8) :: db(3, 3), da1(3, 3), db1(3, 3), dq, dinverse(3, 3), dj1, dj2, dphi, dphi1, dphi2
  real(8) :: u, v, du, dv, trace, y, excess, total, dissipated, kept(3, 3)
  integer :: k, m, first

  lost = 0; error = 0; total = 0; s = 0; c = 0
  call place(new)
  j1 = max(q * sum(unit * right) - 3, 0d0)
  j2 = max(sum(unit * inverse) / q - 3, 0d0)
  call gradients(unit, a1, b1)
  ! bulk: U = K/4 (J**2 - 1 - 2 log J)
  energy = props(1) / 4 * (jacobian**2 - 1 - 2 * log(jacobian))
  s = props(1) / 2 * (jacobian**2 - 1) * inverse
  if (equilibrium == 1) then
    call spring(1, w, w1, w2, w11)
    energy = energy + w
    s = s + 2 * (w1 * a1 + w2 * b1)
  end if
  do m = 1, 6
    call direct(m)
    ds = props(1) / 2 * (jacobian**2 * trace * inverse + (jacobian**2 - 1) * dinverse)
    if (equilibrium == 1) ds = ds + 2 * (w11 * dj1 * a1 + w1 * da1 + w2 * db1)
    call add_column(m)
  end do
  excess = 0
  if (power) excess = props(2 + (branches + equilibrium) * coefficients + branches) - 1
  do k = 1, branches
    first = k + equilibrium
    y = max(dt, 0d0) / props(1 + (branches + equilibrium) * coefficients + k)
    call place(old)
    g0 = measure(first)
    call place((old + new) / 2)
    gm = measure(first)
    call place(new)
    g1 = measure(first)
    start = h(:, :, k)
    dg = 0
    if (power) call flow(2 * substeps)
    gm = gm - (g0 + g1) / 2
    error = error + norm(gm) * min(y, 1d0)
    kept = h(:, :, k)
    h(:, :, k) = start
    call flow(substeps)
    lost = lost + dissipated
    if (power) error = error + norm(h(:, :, k) - kept)
    total = total + max(norm(h(:, :, k)), norm(start), norm(g1 - g0))
    energy = energy + sum(h(:, :, k)**2) / 2
    call root(first, share, phi)
    call gradients(h(:, :, k), a, b)
    u = q * sum(h(:, :, k) * right)
    v = sum(h(:, :, k) * inverse) / q
    grad = phi(1) * (share * a - (1 - share) * b)
    grad = grad + (share * u - (1 - share) * v) * (phi(2) * a1 + phi(3) * b1)
    s = s + 2 * grad
    do m = 1, 6
      call direct(m)
      dphi = phi(2) * dj1 + phi(3) * dj2
      dphi1 = phi(4) * dj1 + phi(5) * dj2
      dphi2 = phi(5) * dj1 + phi(6) * dj2
      dg = share * (dq * right + q * step) - (1 - share) * (dinverse - dq / q * inverse) / q
      dg = dphi * (share * q * right - (1 - share) * inverse / q) + phi(1) * dg
      dg = dg - sum(unit * dg) / 3 * unit
      kept = h(:, :, k)  ! while the flow is taken again, for its derivative
      h(:, :, k) = start
      call flow(substeps)
      h(:, :, k) = kept
      ! at fixed H
      call change(h(:, :, k), da, db)
      du = dq * sum(h(:, :, k) * right) + q * sum(h(:, :, k) * step)
      dv = (sum(h(:, :, k) * dinverse) - dq / q * sum(h(:, :, k) * inverse)) / q
      ds = dphi * (share * a - (1 - share) * b) + phi(1) * (share * da - (1 - share) * db)
      ds = ds + (share * du - (1 - share) * dv) * (phi(2) * a1 + phi(3) * b1)
      ds = ds + (share * u - (1 - share) * v) &
        * (dphi1 * a1 + phi(2) * da1 + dphi2 * b1 + phi(3) * db1)
      ! of H
      call gradients(dh, da, db)
      ds = ds + phi(1) * (share * da - (1 - share) * db)
      du = q * sum(dh * right)
      dv = sum(dh * inverse) / q
      ds = 2 * (ds + (share * du - (1 - share) * dv) * (phi(2) * a1 + phi(3) * b1))
      call add_column(m)
    end do
  end do
  if (total > 0) error = error / total

contains

  ! Right Cauchy-Green tensor, its inverse, J and q = J**(-2/3) at a strain.
  subroutine place(strain)
    real(8), intent(in) :: strain(3, 3)
    real(8) :: det
    right = unit + 2 * strain
    inverse(1, 1) = right(2, 2) * right(3, 3) - right(2, 3)**2
    inverse(2, 2) = right(1, 1) * right(3, 3) - right(1, 3)**2
    inverse(3, 3) = right(1, 1) * right(2, 2) - right(1, 2)**2
    inverse(1, 2) = right(1, 3) * right(2, 3) - right(1, 2) * right(3, 3)
    inverse(1, 3) = right(1, 2) * right(2, 3) - right(1, 3) * right(2, 2)
    inverse(2, 3) = right(1, 2) * right(1, 3) - right(2, 3) * right(1, 1)
    det = right(1, 1) * inverse(1, 1) + right(1, 2) * inverse(1, 2) + right(1, 3) * inverse(1, 3)
    inverse(2, 1) = inverse(1, 2); inverse(3, 1) = inverse(1, 3); inverse(3, 2) = inverse(2, 3)
    inverse = inverse / det
    jacobian = sqrt(det)
    q = 1 / det**(1d0 / 3)
  end subroutine

  ! Gradients with respect to C of q M:C and of M:C**-1/q, for any fixed M.
  subroutine gradients(matrix, first_one, second_one)
    real(8), intent(in) :: matrix(3, 3)
    real(8), intent(out) :: first_one(3, 3), second_one(3, 3)
    first_one = q * (matrix - sum(matrix * right) / 3 * inverse)
    second_one = sum(matrix * inverse) / 3 * inverse
    second_one = (second_one - matmul(inverse, matmul(matrix, inverse))) / q
  end subroutine

  ! Their changes along `step`.
  subroutine change(matrix, first_one, second_one)
    real(8), intent(in) :: matrix(3, 3)
    real(8), intent(out) :: first_one(3, 3), second_one(3, 3)
    real(8) :: product(3, 3)
    first_one = dq * (matrix - sum(matrix * right) / 3 * inverse)
    first_one = first_one - q / 3 * (sum(matrix * step) * inverse + sum(matrix * right) * dinverse)
    product = matmul(dinverse, matmul(matrix, inverse))
    second_one = (sum(matrix * dinverse) * inverse + sum(matrix * inverse) * dinverse) / 3
    second_one = second_one - product - transpose(product)
    product = sum(matrix * inverse) / 3 * inverse - matmul(inverse, matmul(matrix, inverse))
    second_one = (second_one - dq / q * product) / q
  end subroutine

  ! The change of C for a unit of the strain component m, and what follows from it.
  subroutine direct(m)
    integer, intent(in) :: m
    step = 0
    step(row(m), column(m)) = 1
    step(column(m), row(m)) = 1
    if (m <= 3) step = 2 * step
    trace = sum(inverse * step)
    dq = -q / 3 * trace
    dinverse = -matmul(inverse, matmul(step, inverse))
    dj1 = sum(a1 * step)
    dj2 = sum(b1 * step)
    call change(unit, da1, db1)
  end subroutine

  subroutine add_column(m)
    integer, intent(in) :: m
    integer :: n
    do n = 1, 6
      c(n, m) = c(n, m) + ds(row(n), column(n))
    end do
  end subroutine

  ! W of a spring at the invariants j1, j2, with its derivatives.
  subroutine spring(part, w, w1, w2, w11)
    integer, intent(in) :: part
    real(8), intent(out) :: w, w1, w2, w11
    real(8), parameter :: knots(5) = @KNOTS@
    real(8) :: p(8), above
    integer :: n
    p = 0
    p(1:coefficients) = props(2 + (part - 1) * coefficients:1 + part * coefficients)
    w2 = 0; w11 = 0
    w1 = p(1)
    w = p(1) * j1
    if (energy_kind == 3) then  ! Yeoh
      w = w + p(2) * j1**2 + p(3) * j1**3
      w1 = w1 + 2 * p(2) * j1 + 3 * p(3) * j1**2
      w11 = 2 * p(2) + 6 * p(3) * j1
      return
    end if
    w2 = p(2)
    w = w + p(2) * j2
    if (energy_kind == 4) then  ! learnt
      do n = 1, 5
        above = max(j1 - knots(n), 0d0)
        w = w + p(2 + n) * above**2 / 2
        w1 = w1 + p(2 + n) * above
        if (above > 0) w11 = w11 + p(2 + n)
      end do
    end if
  end subroutine

  ! phi = sqrt(2 W/N) with its derivatives by j1, j2, j1j1, j1j2, j2j2; share a of the direction.
  subroutine root(part, share, phi)
    integer, intent(in) :: part
    real(8), intent(out) :: share, phi(6)
    real(8) :: w, w1, w2, w11, first_c, second_c, n, n1, n2, r, r1, r2, r11, r12, r22, b
    first_c = props(2 + (part - 1) * coefficients)
    second_c = 0
    if (energy_kind == 2 .or. energy_kind == 4) second_c = props(3 + (part - 1) * coefficients)
    share = (1 + first_c / (first_c + second_c)) / 3
    b = 1 - share
    phi = 0
    phi(1) = sqrt(first_c + second_c)
    n = 2 * (3 * share - 1) * j1 + 2 * (3 * b - 1) * j2
    if (n < 1d-12) return
    call spring(part, w, w1, w2, w11)
    n = n + 2 * (share**2 * j1**2 + share * b * j1 * j2 + b**2 * j2**2) / 3
    n1 = 2 * (3 * share - 1) + 2 * (2 * share**2 * j1 + share * b * j2) / 3
    n2 = 2 * (3 * b - 1) + 2 * (share * b * j1 + 2 * b**2 * j2) / 3
    r = 2 * w / n
    r1 = (2 * w1 - r * n1) / n
    r2 = (2 * w2 - r * n2) / n
    r11 = (2 * w11 - 2 * r1 * n1 - r * 4 * share**2 / 3) / n
    r12 = (-r1 * n2 - r2 * n1 - r * 2 * share * b / 3) / n
    r22 = (-2 * r2 * n2 - r * 4 * b**2 / 3) / n
    phi(1) = sqrt(r)
    phi(2) = r1 / (2 * phi(1))
    phi(3) = r2 / (2 * phi(1))
    phi(4) = r11 / (2 * phi(1)) - r1 * r1 / (4 * phi(1)**3)
    phi(5) = r12 / (2 * phi(1)) - r1 * r2 / (4 * phi(1)**3)
    phi(6) = r22 / (2 * phi(1)) - r2 * r2 / (4 * phi(1)**3)
  end subroutine

  ! G = phi D of a spring where `place` was called last.
  function measure(part) result(g)
    integer, intent(in) :: part
    real(8) :: g(3, 3), share, phi(6), kept1, kept2
    kept1 = j1; kept2 = j2
    j1 = max(q * sum(unit * right) - 3, 0d0)
    j2 = max(sum(unit * inverse) / q - 3, 0d0)
    call root(part, share, phi)
    j1 = kept1; j2 = kept2
    g = share * q * right - (1 - share) * inverse / q
    g = phi(1) * (g - sum(unit * g) / 3 * unit)
  end function

  ! H of branch k after the step, and its change dh for a change dg of the measure.
  subroutine flow(count)
    integer, intent(in) :: count
    real(8) :: rise(3, 3), before(3, 3), z, decay, memory, growth, mean(3, 3), dbefore(3, 3)
    integer :: n
    rise = g1 - g0
    dissipated = 0
    if (.not. power) then
      memory = exp(-y)
      growth = ratio(y)
      mean = growth * h(:, :, k) + ramp(y) * rise
      dissipated = y * (sum(mean**2) + sum((y * h(:, :, k) - rise)**2) * variance(y))
      h(:, :, k) = memory * h(:, :, k) + growth * rise
      dh = growth * dg
    else
      dh = 0
      do n = 1, count
        before = h(:, :, k) + rise / (2 * count)
        dbefore = dh + dg / (2 * count)
        z = (norm(before) / scale)**excess * y / count
        decay = log(1 + excess * z) / excess
        if (excess * z < 1d-4) decay = z * (1 - excess * z / 2 + (excess * z)**2 / 3)
        memory = exp(-decay)
        h(:, :, k) = before * memory + rise / (2 * count)
        dissipated = dissipated + sum(before**2) / 2 * (1 - memory) * (1 + memory)
        if (sum(before**2) > 0) dbefore = dbefore &
          - excess * z / (1 + excess * z) * sum(before * dbefore) / sum(before**2) * before
        dh = dbefore * memory + dg / (2 * count)
      end do
    end if
  end subroutine

  ! (1 - exp(-y))/y
  function ratio(y) result(value)
    real(8), intent(in) :: y
    real(8) :: value
    integer :: n
    if (y > 0.3d0) then
      value = (1 - exp(-y)) / y
    else
      value = 1
      do n = 13, 2, -1
        value = 1 - y / n * value
      end do
    end if
  end function

  ! (y - 1 + exp(-y))/y**2
  function ramp(y) result(value)
    real(8), intent(in) :: y
    real(8) :: value
    integer :: n
    if (y > 0.5d0) then
      value = (1 - ratio(y)) / y
    else
      value = 1
      do n = 14, 3, -1
        value = 1 - y / n * value
      end do
      value = value / 2
    end if
  end function

  ! Variance of exp(-y t) over 0 <= t <= 1, by y**2
  function variance(y) result(value)
    real(8), intent(in) :: y
    real(8) :: value
    if (y > 0.5d0) then
      value = max(ratio(2 * y) - ratio(y)**2, 0d0) / y / y
    else
      value = 1d0 / 12 + y**2 * (1d0 / 180 + y**2 * (1d0 / 6720 + y**2 / 453600 &
        + y**4 / 47900160))
      value = exp(-y) * value
    end if
  end function

  function norm(matrix) result(value)
    real(8), intent(in) :: matrix(3, 3)
    real(8) :: value
    value = sqrt(sum(matrix**2))
  end function
end subroutine @NAME@_solid

! Abaqus' interface for user materials.
!
! NTENS 6 (solid), NTENS 4 (plane strain, axisymmetric): the solid in three dimensions, from DFGRD1.
! STATEV: @STATES3@ or more (*DEPVAR): Green-Lagrange strain, then H of every branch, each in the order
!         11, 22, 33, 12, 13, 23, in the undeformed frame, so that no rotation concerns them.
! NTENS 1 (truss): the uniaxial law, from STRAN = stretch - 1, so without NLGEOM; STRESS is nominal.
! STATEV: @BRANCHES@ or more.
! STATEV is zero at first. SSE: energy stored, per volume of the undeformed body. SPD: dissipated.
! PNEWDT: 0.5 where the error of the step is beyond 2 % of the elastic strains, 0.25 where there is
! no step at all (an element turned inside out, no numbers); STATEV and STRESS then stay.
! @FRAME@
!
! PROPS   @PROPS@ constants, or the bulk modulus alone; these are the ones that were fitted:
@LIST@
subroutine @NAME@_umat(@ARGUMENTS@)
@DECLARATIONS@
  integer, parameter :: branches = @BRANCHES@, constants = @PROPS@
  integer, parameter :: row(6) = [1, 2, 3, 1, 1, 2], column(6) = [1, 2, 3, 2, 3, 3]
  real(8), parameter :: unit(3, 3) = reshape( &
    [1d0, 0d0, 0d0, 0d0, 1d0, 0d0, 0d0, 0d0, 1d0], [3, 3])
  real(8) :: p(constants), h(3, 3, branches), old(3, 3), new(3, 3), s(3, 3), c(6, 6), energy, lost
  real(8) :: error, det, map(3, 3), sigma(3, 3), g(6, 6), stretch, direction(6)
  integer :: k, m, n, width
  width = merge(6, 0, ntens /= 1)
  if (.not. (ntens == 1 .or. (ndi == 3 .and. (ntens == 6 .or. ntens == 4)))) then
    call @NAME@_refuse("@NAME@: NTENS must be 6, 4 (with NDI = 3) or 1", stress, ddsdde, ntens)
    return
  end if
  if (nstatv < width + max(width, 1) * branches) then
    call @NAME@_refuse("@NAME@: *DEPVAR must be @STATES3@ (@BRANCHES@ for a truss)", &
      stress, ddsdde, ntens)
    return
  end if
  call @NAME@_fitted(p)
  if (nprops == constants) p = props(1:constants)
  if (nprops == 1) p(1) = props(1)
  if (nprops > 1 .and. nprops /= constants) then
    call @NAME@_refuse("@NAME@: PROPS must be @PROPS@ constants, or one: the bulk modulus", &
      stress, ddsdde, ntens)
    return
  end if
  h = 0
  stretch = 1
  if (ntens == 1) then
    old = uniaxial(1 + stran(1))
    stretch = 1 + stran(1) + dstran(1)
    det = stretch
    p(1) = 0
    do k = 1, branches
      h(:, :, k) = statev(k) * sqrt(2d0 / 3) &
        * reshape([1d0, 0d0, 0d0, 0d0, -0.5d0, 0d0, 0d0, 0d0, -0.5d0], [3, 3])
    end do
    new = uniaxial(max(stretch, 1d-3))
  else
    old = symmetric(statev(1:6))
    do k = 1, branches
      h(:, :, k) = symmetric(statev(6 * k + 1:6 * k + 6))
    end do
    new = (matmul(transpose(dfgrd1), dfgrd1) - unit) / 2
    det = dfgrd1(1, 1) * (dfgrd1(2, 2) * dfgrd1(3, 3) - dfgrd1(2, 3) * dfgrd1(3, 2)) &
      - dfgrd1(1, 2) * (dfgrd1(2, 1) * dfgrd1(3, 3) - dfgrd1(2, 3) * dfgrd1(3, 1)) &
      + dfgrd1(1, 3) * (dfgrd1(2, 1) * dfgrd1(3, 2) - dfgrd1(2, 2) * dfgrd1(3, 1))
  end if
  if (.not. det > 1d-3) then  ! also where it is not a number
    pnewdt = min(pnewdt, 0.25d0)
    return
  end if
  call @NAME@_solid(p, old, new, dtime, h, s, c, energy, lost, error)
  if (.not. (abs(energy) <= huge(energy) .and. all(abs(c) <= huge(energy)))) then
    pnewdt = min(pnewdt, 0.25d0)
    return
  end if
  if (error > 0.02d0) pnewdt = min(pnewdt, 0.5d0)
  sse = energy
  spd = spd + lost
  if (ntens == 1) then
    stress(1) = stretch * s(1, 1) - s(2, 2) / stretch**2
    direction = [stretch, -0.5d0 / stretch**2, -0.5d0 / stretch**2, 0d0, 0d0, 0d0]
    ddsdde(1, 1) = s(1, 1) + 2 * s(2, 2) / stretch**3 &
      + dot_product(stretch * c(1, :) - c(2, :) / stretch**2, direction)
    do k = 1, branches
      statev(k) = h(1, 1, k) * sqrt(1.5d0)
    end do
    return
  end if
  do n = 1, 6
    statev(n) = new(row(n), column(n))
    do k = 1, branches
      statev(6 * k + n) = h(row(n), column(n), k)
    end do
  end do
@MAP@
  sigma = matmul(map, matmul(s, transpose(map)))
  do n = 1, 6
    do m = 1, 6
      g(n, m) = pushed(row(n), column(n), row(m), column(m))
    end do
  end do
  do n = 1, ntens
    stress(n) = sigma(row(n), column(n)) / det
    ddsdde(n, 1:ntens) = g(n, 1:ntens)@PER_VOLUME@
  end do

contains

  function uniaxial(stretch) result(strain)
    real(8), intent(in) :: stretch
    real(8) :: strain(3, 3)
    strain = 0
    strain(1, 1) = (stretch - 1) * (stretch + 1) / 2
    strain(2, 2) = (1 - stretch) / stretch / 2
    strain(3, 3) = strain(2, 2)
  end function

  function symmetric(six) result(matrix)
    real(8), intent(in) :: six(6)
    real(8) :: matrix(3, 3)
    integer :: n
    do n = 1, 6
      matrix(row(n), column(n)) = six(n)
      matrix(column(n), row(n)) = six(n)
    end do
  end function

  ! The tangent in the frame of `map`@JAUMANN_NOTE@.
  function pushed(i, j, k, l) result(value)
    integer, intent(in) :: i, j, k, l
    real(8) :: value, left(6), right(6)
    integer :: n
    do n = 1, 6
      left(n) = map(i, row(n)) * map(j, column(n))
      right(n) = map(k, row(n)) * map(l, column(n))
      if (n > 3) left(n) = left(n) + map(i, column(n)) * map(j, row(n))
      if (n > 3) right(n) = right(n) + map(k, column(n)) * map(l, row(n))
    end do
    value = dot_product(left, matmul(c, right))
@JAUMANN@
  end function
end subroutine @NAME@_umat

! The constants that were fitted.
subroutine @NAME@_fitted(p)
  implicit none
  real(8), intent(out) :: p(@PROPS@)
@FITTED@
end subroutine @NAME@_fitted

@END@
