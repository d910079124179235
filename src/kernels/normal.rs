//! How are the normal equations of a row gathered and solved?
//!
//! ```text
//! A·x = b        A = A₀ + δ·1 + Σ_e c_e·q_e·q_eᵀ        b = Σ_e c_e·t_e·q_e        e runs over the examples of the row
//! A = Uᵀ·U       U upper triangular;  Uᵀ·y = b from the first row down,  U·x = y from the last row up
//! ```
//!
//! Both loops that take the time, the sum over e and Cholesky's sums over the rows of U that are known, are products of a few rows and many columns, so there is one
//! loop for them: a tile of 4 × 16 numbers of A stays in registers while the terms are added to it.
//!
//! ```text
//! tile       A_ab += Σ_e r_e[a]·v_e[b]        a of 4 rows, b of 16 columns, on and above the diagonal
//! gather     r_e = c_e·q_e,  v_e = q_e        at most 64 examples (a panel) are added up, then the sum is added to A: of many thousand terms little is lost
//! factor     r_j = −U_j,     v_j = U_j        j runs over the rows above those of the tile
//! ```
//!
//! Rows and columns are packed tile by tile, so that the loop reads one number after the other. Every entry is a sum in one order that depends on the examples alone. Cost: n·d²/2 + d³/6
//! multiply-adds, d = n_factors rounded up to 16. In plain loops it stands in [`naive::normal_equations`](super::naive::normal_equations).

use super::lanes::sum_of_lanes;
use super::rows::RowsView;
use super::{Job, Lanes, Real};

/// Rows of a tile.
const ROWS: usize = 4;
/// Columns of a tile.
const COLUMNS: usize = 16;
/// Examples that are added up before their sum is added to A.
pub const PANEL: usize = 64;

/// A piece of A.
type Tile<T> = [[T; COLUMNS]; ROWS];

/// Room for the equations of one row after another.
#[derive(Clone, Debug)]
pub struct Equations<T> {
    width: usize,
    /// A, in rows of `width` numbers; on and above the diagonal.
    matrix: Vec<T>,
    /// b, then y.
    vector: Vec<T>,
    panel: Packed<T>,
    /// Examples in the panel.
    held: usize,
    factor: Packed<T>,
    /// One over the diagonal of U.
    inverse: Vec<T>,
    solution: Vec<T>,
}

/// Rows r and v of so many terms, tile by tile: the numbers of a tile's rows, or columns, stand one term after the other.
#[derive(Clone, Debug)]
struct Packed<T> {
    terms: usize,
    rows: Vec<[T; ROWS]>,
    columns: Vec<[T; COLUMNS]>,
}

impl<T: Real> Packed<T> {
    fn new(width: usize, terms: usize) -> Packed<T> {
        Packed {
            terms,
            rows: vec![[T::ZERO; ROWS]; width / ROWS * terms],
            columns: vec![[T::ZERO; COLUMNS]; width / COLUMNS * terms],
        }
    }

    /// Writes v of a term in the columns from `column` on, and α·v as its r.
    #[inline(always)]
    fn write(&mut self, term: usize, column: usize, alpha: T, v: [T; COLUMNS]) {
        self.columns[column / COLUMNS * self.terms + term] = v;
        for (n, v) in v.as_chunks::<ROWS>().0.iter().enumerate() {
            self.rows[(column / ROWS + n) * self.terms + term] = v.map(|x| alpha * x);
        }
    }

    /// `tile` and the first `n` terms of the rows from `row` and the columns from `column` on.
    #[inline(always)]
    fn add(&self, mut tile: Tile<T>, n: usize, row: usize, column: usize) -> Tile<T> {
        let rows = &self.rows[row / ROWS * self.terms..][..n];
        let columns = &self.columns[column / COLUMNS * self.terms..][..n];
        for (r, v) in rows.iter().zip(columns) {
            for a in 0..ROWS {
                for b in 0..COLUMNS {
                    tile[a][b] += r[a] * v[b];
                }
            }
        }
        tile
    }
}

impl<T: Real> Equations<T> {
    /// Room for rows of `n_factors` numbers.
    pub fn new(n_factors: usize) -> Equations<T> {
        let width = width(n_factors);
        Equations {
            width,
            matrix: vec![T::ZERO; width * width],
            vector: vec![T::ZERO; width],
            panel: Packed::new(width, PANEL),
            held: 0,
            factor: Packed::new(width, width),
            inverse: vec![T::ZERO; width],
            solution: vec![T::ZERO; width],
        }
    }

    /// A, in rows of [`width`] numbers; on and above the diagonal.
    pub fn into_matrix(self) -> Vec<T> {
        self.matrix
    }

    /// Adds the terms of an example: c, t and q.
    #[inline(always)]
    fn push<S: Real>(&mut self, weight: T, target: T, q: &[S]) {
        let scale = weight * target;
        for (n, chunk) in q.chunks(COLUMNS).enumerate() {
            let mut v = [T::ZERO; COLUMNS];
            for (v, &q) in v.iter_mut().zip(chunk) {
                *v = T::from_f64(q.to_f64());
            }
            self.panel.write(self.held, n * COLUMNS, weight, v);
            let b = &mut self.vector[n * COLUMNS..][..COLUMNS];
            for (b, v) in b.iter_mut().zip(v) {
                *b += scale * v;
            }
        }
        self.held += 1;
        if self.held == PANEL {
            self.add_panel();
        }
    }

    /// Adds what the panel holds to A.
    #[inline(always)]
    fn add_panel(&mut self) {
        for row in (0..self.width).step_by(ROWS) {
            for column in (row / COLUMNS * COLUMNS..self.width).step_by(COLUMNS) {
                let sums = [[T::ZERO; COLUMNS]; ROWS];
                let sums = self.panel.add(sums, self.held, row, column);
                for (n, sums) in sums.iter().enumerate() {
                    let entries = &mut self.matrix[(row + n) * self.width + column..][..COLUMNS];
                    for (entry, &sum) in entries.iter_mut().zip(sums) {
                        *entry += sum;
                    }
                }
            }
        }
        self.held = 0;
    }

    /// U, and y with Uᵀ·y = b in place of b; false where A is not positive definite, a number is not finite, or no more than `least` of an entry of the diagonal is left to take a root of.
    #[inline(always)]
    fn factorize(&mut self, least: T) -> bool {
        for row in (0..self.width).step_by(ROWS) {
            let first = row / COLUMNS * COLUMNS;
            let mut tile = self.left(row, first);
            // The triangle of the four rows: everything else follows from it.
            let (mut inverse, mut triangle) = ([T::ZERO; ROWS], [[T::ZERO; ROWS]; ROWS]);
            for a in 0..ROWS {
                let pivot = tile[a][row - first + a];
                let entry = self.matrix[(row + a) * (self.width + 1)];
                if !(pivot > least * entry && pivot.finite()) {
                    return false;
                }
                inverse[a] = T::from_f64(1.0) / pivot.square_root();
                for b in a + 1..ROWS {
                    triangle[a][b] = tile[a][row - first + b] * inverse[a];
                }
                eliminate(&mut tile, a, inverse[a], &triangle[a]);
            }
            for (a, entries) in tile.iter_mut().enumerate() {
                entries[..row - first + a].fill(T::ZERO);
            }
            let mut y = [T::ZERO; ROWS];
            for a in 0..ROWS {
                let known = (0..a).fold(self.vector[row + a], |b, j| b - triangle[j][a] * y[j]);
                y[a] = known * inverse[a];
            }
            self.inverse[row..row + ROWS].copy_from_slice(&inverse);
            self.keep(row, first, &tile, &y);
            for column in (first + COLUMNS..self.width).step_by(COLUMNS) {
                let mut tile = self.left(row, column);
                for a in 0..ROWS {
                    eliminate(&mut tile, a, inverse[a], &triangle[a]);
                }
                self.keep(row, column, &tile, &y);
            }
            self.vector[row..row + ROWS].copy_from_slice(&y);
        }
        true
    }

    /// A tile without what the rows of U above it explain.
    #[inline(always)]
    fn left(&self, row: usize, column: usize) -> Tile<T> {
        let mut tile = [[T::ZERO; COLUMNS]; ROWS];
        for (n, entries) in tile.iter_mut().enumerate() {
            let from = &self.matrix[(row + n) * self.width + column..][..COLUMNS];
            entries.copy_from_slice(from);
        }
        self.factor.add(tile, row, row, column)
    }

    /// Writes a tile of U, and takes what it explains from b.
    #[inline(always)]
    fn keep(&mut self, row: usize, column: usize, tile: &Tile<T>, y: &[T; ROWS]) {
        let minus = T::from_f64(-1.0);
        let b = &mut self.vector[column..][..COLUMNS];
        for (a, entries) in tile.iter().enumerate() {
            self.factor.write(row + a, column, minus, *entries);
            for (b, &u) in b.iter_mut().zip(entries) {
                *b += -y[a] * u;
            }
        }
    }

    /// x with U·x = y.
    #[inline(always)]
    fn solve_upper(&mut self) {
        // A number that is not known yet counts as 0.
        self.solution.fill(T::ZERO);
        for row in (0..self.width).rev() {
            let (mut lanes, first) = ([T::ZERO; COLUMNS], row / COLUMNS);
            let known = self.solution.as_chunks::<COLUMNS>().0;
            for (n, x) in known.iter().enumerate().skip(first) {
                let u = &self.factor.columns[n * self.width + row];
                for l in 0..COLUMNS {
                    lanes[l] += u[l] * x[l];
                }
            }
            let eight = std::array::from_fn(|l| lanes[l] + lanes[l + COLUMNS / 2]);
            self.solution[row] = (self.vector[row] - sum_of_lanes(eight)) * self.inverse[row];
        }
    }
}

/// Finishes row `a` of four, and takes what it explains from those below it.
#[inline(always)]
fn eliminate<T: Real>(tile: &mut Tile<T>, a: usize, inverse: T, triangle: &[T; ROWS]) {
    for x in &mut tile[a] {
        *x *= inverse;
    }
    let (above, below) = tile.split_at_mut(a + 1);
    for (n, entries) in below.iter_mut().enumerate() {
        for (entry, &u) in entries.iter_mut().zip(&above[a]) {
            *entry += -triangle[a + 1 + n] * u;
        }
    }
}

/// The length of a row of A: `n_factors` rounded up to whole tiles.
pub const fn width(n_factors: usize) -> usize {
    n_factors.div_ceil(COLUMNS) * COLUMNS
}

/// Gathers the equations of a row, and solves them.
#[derive(Debug)]
pub struct SolveRow<'a, T, S, E> {
    /// The room for it.
    pub equations: &'a mut Equations<T>,
    /// A₀, in rows of [`width`] numbers; what stands below the diagonal is not read. A number on the diagonal behind the last factor is to be 1.
    pub start: &'a [T],
    /// δ.
    pub ridge: T,
    /// The share of an entry of the diagonal that must be left to take a root of; below, what is left is rounding more than number.
    pub least: T,
    /// The table of the other rows.
    pub other: RowsView<'a, S>,
    /// The examples: the other row, c and t.
    pub examples: E,
    /// Where x goes; it stays as it was where the equations have no solution.
    pub row: &'a mut [S],
}

impl<T: Real, S: Real, E: Iterator<Item = (u32, T, T)>> Job for SolveRow<'_, T, S, E> {
    /// Whether there is a solution.
    type Output = bool;

    #[inline(always)]
    fn run<L: Lanes>(self, _: L) -> bool {
        let equations = self.equations;
        equations.matrix.copy_from_slice(self.start);
        let step = equations.width + 1;
        for entry in equations.matrix.iter_mut().step_by(step) {
            *entry += self.ridge;
        }
        equations.vector.fill(T::ZERO);
        let stride = self.other.stride;
        for (other, weight, target) in self.examples {
            let q = &self.other.values[other as usize * stride..][..stride];
            equations.push(weight, target, q);
        }
        equations.add_panel();
        if !equations.factorize(self.least) {
            return false;
        }
        equations.solve_upper();
        for (x, solution) in self.row.iter_mut().zip(&equations.solution) {
            *x = S::from_f64(solution.to_f64());
        }
        true
    }
}

/// Adds up Σ q·qᵀ over some rows of a table.
#[derive(Debug)]
pub struct GramRows<'a, T> {
    /// The room for it; the sum is left in its matrix.
    pub equations: &'a mut Equations<T>,
    /// The table.
    pub table: RowsView<'a, T>,
    /// The rows.
    pub rows: &'a [u32],
}

impl<T: Real> Job for GramRows<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, _: L) {
        self.equations.matrix.fill(T::ZERO);
        let stride = self.table.stride;
        for &row in self.rows {
            let q = &self.table.values[row as usize * stride..][..stride];
            self.equations.push(T::from_f64(1.0), T::ZERO, q);
        }
        self.equations.add_panel();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::lanes::padded;
    use crate::kernels::{Kernel, naive};
    use crate::linalg::Cholesky;

    fn number(n: usize, salt: usize) -> f32 {
        ((n * 7919 + salt * 104_729) % 2003) as f32 / 1001.5 - 1.0
    }

    /// Rows of an other side, its examples and A₀, all made up.
    struct Case {
        n: usize,
        table: Vec<f32>,
        examples: Vec<(u32, f32, f32)>,
        start: Vec<f64>,
    }

    impl Case {
        fn new(n: usize, n_examples: usize) -> Case {
            let stride = padded(n);
            let of = |at: usize| match at % stride < n {
                true => number(at, n),
                false => 0.0,
            };
            let example = |e: usize| {
                let weight = (number(e, 1) + 1.0) * if e.is_multiple_of(5) { 0.0 } else { 2.0 };
                ((e * e % 37) as u32, weight, number(e, 2))
            };
            let start = |at: usize| {
                let (a, b) = (at / width(n), at % width(n));
                match a == b {
                    true if a < n => 0.5 + a as f64 / 10.0,
                    true => 1.0,
                    false if a < n && b < n => 0.1 / (1 + a + b) as f64,
                    false => 0.0,
                }
            };
            Case {
                n,
                table: (0..37 * stride).map(of).collect(),
                examples: (0..n_examples).map(example).collect(),
                start: (0..width(n) * width(n)).map(start).collect(),
            }
        }

        /// x in the numbers of `T`, with the room of whatever was solved before.
        fn solve<T: Real>(
            &self,
            equations: &mut Equations<T>,
            ridge: f64,
            kernel: Kernel,
        ) -> Option<Vec<f32>> {
            let start: Vec<T> = self.start.iter().map(|&x| T::from_f64(x)).collect();
            let mut row = vec![9.0; padded(self.n)];
            let examples = self.examples.iter();
            let solved = kernel.run(SolveRow {
                equations,
                start: &start,
                ridge: T::from_f64(ridge),
                least: T::ZERO,
                other: RowsView {
                    values: &self.table,
                    stride: padded(self.n),
                },
                examples: examples.map(|&(r, c, t)| (r, T::from_f32(c), T::from_f32(t))),
                row: &mut row,
            });
            solved.then_some(row)
        }

        /// x by plain loops.
        fn naive(&self, ridge: f64) -> Vec<f64> {
            let (n, stride) = (self.n, padded(self.n));
            let entry = |at: usize| self.start[at / n * width(n) + at % n];
            let start: Vec<f64> = (0..n * n).map(entry).collect();
            let example = |&(r, c, t): &(u32, f32, f32)| {
                let q = &self.table[r as usize * stride..][..n];
                (q, f64::from(c), f64::from(t))
            };
            let examples: Vec<_> = self.examples.iter().map(example).collect();
            let (matrix, mut x) = naive::normal_equations(&start, ridge, &examples);
            let mut factor = Cholesky::new(n);
            assert!(factor.factorize(n, n, &matrix));
            factor.solve(&mut x);
            x
        }
    }

    const SIZES: [(usize, usize); 8] = [
        (1, 3),
        (5, 0),
        (8, 64),
        (16, 65),
        (17, 7),
        (40, 200),
        (64, 20),
        (100, 130),
    ];

    #[test]
    fn tiles_solve_the_equations_of_the_plain_loops() {
        for (n, n_examples) in SIZES {
            let case = Case::new(n, n_examples);
            let (mut double, mut single) = (Equations::new(n), Equations::new(n));
            // Twice in the same room: nothing of the first is left over.
            for ridge in [0.25, 0.75] {
                let wanted = case.naive(ridge);
                let precise = case.solve::<f64>(&mut double, ridge, Kernel::Portable);
                let fast = case.solve::<f32>(&mut single, ridge, Kernel::Portable);
                let (precise, fast) = (precise.expect("a solution"), fast.expect("a solution"));
                let largest = wanted.iter().fold(1e-3, |l: f64, x| l.max(x.abs()));
                for (f, &wanted) in wanted.iter().enumerate() {
                    // What is solved in double precision is handed over in single: ½ε of it, and next to nothing.
                    let error = (f64::from(precise[f]) - wanted).abs();
                    assert!(error <= 1e-7 * largest, "{n} {f}: {} {wanted}", precise[f]);
                    // The condition of A is below 4·n_examples/0.5 < 2000; times ε = 6e-8, times a few.
                    let error = (f64::from(fast[f]) - wanted).abs();
                    assert!(error <= 1e-4 * largest, "{n} {f}: {} {wanted}", fast[f]);
                }
                let padding = [&precise[n..], &fast[n..]].concat();
                assert!(padding.iter().all(|&x| x == 0.0), "padding is zero");
            }
        }
    }

    #[test]
    fn every_kernel_gives_the_same_bits() {
        for (n, n_examples) in SIZES {
            let case = Case::new(n, n_examples);
            let of = |kernel| {
                let row = case.solve::<f32>(&mut Equations::new(n), 0.25, kernel);
                let row = row.expect("a solution");
                row.into_iter().map(f32::to_bits).collect::<Vec<_>>()
            };
            assert_eq!(of(Kernel::Portable), of(Kernel::detect()), "{n}");
        }
    }

    #[test]
    fn what_has_no_solution_leaves_the_row_alone() {
        for n in [3, 20] {
            let mut case = Case::new(n, 2);
            let mut equations = Equations::<f32>::new(n);
            assert!(
                case.solve(&mut equations, -40.0, Kernel::Portable)
                    .is_none()
            );
            case.start[width(n) + 1] = f64::NAN;
            assert!(case.solve(&mut equations, 1.0, Kernel::Portable).is_none());
            case.start[width(n) + 1] = 1.0;
            assert!(case.solve(&mut equations, 1.0, Kernel::Portable).is_some());
        }
    }

    #[test]
    fn what_is_left_of_a_diagonal_is_to_be_more_than_rounding() {
        // A = (1 + δ, 1; 1, 1 + δ): of the second entry 2δ is left.
        let solve = |ridge: f32, least: f32| {
            let mut start = vec![0.0; 16 * 16];
            (2..16).for_each(|a| start[17 * a] = 1.0);
            let (mut q, mut row) = ([0.0; 8], [0.0; 8]);
            q[..2].fill(1.0);
            let solved = SolveRow {
                equations: &mut Equations::new(2),
                start: &start,
                ridge,
                least,
                other: RowsView {
                    values: &q,
                    stride: 8,
                },
                examples: [(0, 1.0, 1.0)].into_iter(),
                row: &mut row,
            };
            solved.run(crate::kernels::Portable)
        };
        for (ridge, least, wanted) in [
            (0.001, 0.0, true),
            (0.001, 0.0019, true),
            (0.001, 0.0021, false),
            (1e-9, 0.0, false),
        ] {
            assert_eq!(solve(ridge, least), wanted, "{ridge} {least}");
        }
    }

    #[test]
    fn the_sum_over_rows_is_that_of_plain_loops() {
        for (n, n_rows) in SIZES {
            let case = Case::new(n, 0);
            let stride = padded(n);
            let rows: Vec<u32> = (0..n_rows as u32).map(|r| r * 5 % 37).collect();
            let mut equations = Equations::<f32>::new(n);
            // The room is used once before.
            for rows in [&[3, 3][..], &rows] {
                Kernel::detect().run(GramRows {
                    equations: &mut equations,
                    table: RowsView {
                        values: &case.table,
                        stride,
                    },
                    rows,
                });
            }
            for a in 0..n {
                for b in a..n {
                    let term = |&r: &u32| {
                        let q = &case.table[r as usize * stride..][..n];
                        f64::from(q[a]) * f64::from(q[b])
                    };
                    let sum: f64 = rows.iter().map(term).sum();
                    let got = f64::from(equations.matrix[a * width(n) + b]);
                    // Terms below 1, added 64 by 64.
                    let bound = n_rows as f64 * 70.0 * 2f64.powi(-24);
                    assert!((got - sum).abs() <= bound, "{n} {a} {b}: {got} {sum}");
                }
            }
        }
    }
}
