//! How are few linear equations in as many unknowns solved, exactly alike everywhere?
//!
//! By Cholesky's factorization of a symmetric positive definite matrix. n is the number of factors of a row and a bias: tens, not thousands.
//!
//! ```text
//! M = L·Lᵀ                 L lower triangular: L_jj = √(M_jj − Σ_{c<j} L_jc²),  L_ij = (M_ij − Σ_{c<j} L_ic·L_jc) / L_jj
//! M·x = b                  L·y = b from the first row down, Lᵀ·x = y from the last row up
//! x ~ N(0, M⁻¹)            Lᵀ·x = ε with ε ~ N(0, 1)
//! ```
//!
//! Addition, multiplication, division and the square root are rounded alike on every CPU, and every sum has one order.
//!
//! Source: Golub and Van Loan, *Matrix Computations*, algorithm 4.2.1.

/// Room for one factorization after another.
///
/// ```
/// use lowrank::linalg::Cholesky;
/// // | 4 2 |         | 2 0 |
/// // | 2 5 |,   L =  | 1 2 |
/// let mut factor = Cholesky::new(2);
/// assert!(factor.factorize(2, 2, &[4.0, 2.0, 2.0, 5.0]));
/// let mut x = [8.0, 12.0];
/// factor.solve(&mut x);
/// assert_eq!(x, [1.0, 2.0]); // 4·1 + 2·2 = 8, 2·1 + 5·2 = 12
/// ```
#[derive(Clone, Debug)]
pub struct Cholesky {
    n: usize,
    room: usize,
    lower: Vec<f64>,
}

impl Cholesky {
    /// Room for matrices of up to `room` rows.
    pub fn new(room: usize) -> Cholesky {
        Cholesky {
            n: 0,
            room,
            lower: vec![0.0; room * room],
        }
    }

    /// Factorizes the leading `n` × `n` part of a matrix with rows of `stride` numbers; reads its lower triangle. False where it is not positive definite, or holds a number that is not
    /// finite.
    ///
    /// # Panics
    /// Where there is no room, or the matrix is too short.
    pub fn factorize(&mut self, n: usize, stride: usize, matrix: &[f64]) -> bool {
        assert!(n <= self.room, "room for {} rows", self.room);
        self.n = n;
        for i in 0..n {
            for j in 0..=i {
                let (row_i, row_j) = (&self.lower[i * self.room..], &self.lower[j * self.room..]);
                let products = row_i[..j].iter().zip(&row_j[..j]);
                let left = products.fold(matrix[i * stride + j], |left, (a, b)| left - a * b);
                let value = match i == j {
                    true => left.sqrt(),
                    false => left / row_j[j],
                };
                if i == j && !(value > 0.0 && value < f64::INFINITY) {
                    return false;
                }
                self.lower[i * self.room + j] = value;
            }
        }
        true
    }

    /// b ← M⁻¹·b.
    pub fn solve(&self, b: &mut [f64]) {
        self.solve_lower(b);
        self.solve_upper(b);
    }

    /// b ← L⁻¹·b.
    pub fn solve_lower(&self, b: &mut [f64]) {
        self.solve_lower_from(0, b);
    }

    /// b ← L⁻¹·b, where b is 0 before `first`.
    fn solve_lower_from(&self, first: usize, b: &mut [f64]) {
        for i in first..self.n {
            let row = &self.lower[i * self.room..][..=i];
            let known = row[first..i].iter().zip(&b[first..i]);
            b[i] = known.fold(b[i], |left, (l, x)| left - l * x) / row[i];
        }
    }

    /// b ← L⁻ᵀ·b.
    pub fn solve_upper(&self, b: &mut [f64]) {
        self.solve_upper_down_to(0, b);
    }

    /// The part of b ← L⁻ᵀ·b from row `last` on.
    fn solve_upper_down_to(&self, last: usize, b: &mut [f64]) {
        for i in (last..self.n).rev() {
            b[i] /= self.lower[i * self.room + i];
            let x = b[i];
            let row = &self.lower[i * self.room..][last..i];
            for (left, l) in b[last..i].iter_mut().zip(row) {
                *left -= l * x;
            }
        }
    }

    /// The inverse M⁻¹, in rows of `stride` numbers.
    pub fn inverse(&self, stride: usize, inverse: &mut [f64]) {
        for i in 0..self.n {
            // Column i of L⁻¹ is 0 above row i, and M⁻¹ is symmetric: what is to the left of i is known by then.
            let column = &mut inverse[i * stride..][..self.n];
            column[i..].fill(0.0);
            column[i] = 1.0;
            self.solve_lower_from(i, column);
            self.solve_upper_down_to(i, column);
            for j in i + 1..self.n {
                inverse[j * stride + i] = inverse[i * stride + j];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A positive definite matrix: A·Aᵀ + 1.
    fn matrix(n: usize) -> Vec<f64> {
        let a = |i: usize, j: usize| ((i * 7 + j * 3) % 5) as f64 - 2.0;
        let entry = |i: usize, j: usize| (0..n).map(|c| a(i, c) * a(j, c)).sum::<f64>();
        let all = (0..n * n).map(|at| (at / n, at % n));
        all.map(|(i, j)| entry(i, j) + f64::from(u8::from(i == j)))
            .collect()
    }

    #[test]
    fn what_is_solved_solves_the_equations() {
        let n = 9;
        let m = matrix(n);
        let mut factor = Cholesky::new(12);
        assert!(factor.factorize(n, n, &m));
        let b: Vec<f64> = (0..n).map(|i| i as f64 - 3.5).collect();
        let mut x = b.clone();
        factor.solve(&mut x);
        let mut inverse = vec![0.0; n * n];
        factor.inverse(n, &mut inverse);
        for i in 0..n {
            let sum: f64 = (0..n).map(|j| m[i * n + j] * x[j]).sum();
            // The condition of this matrix is below 1e3; 9 products of rounded numbers.
            assert!((sum - b[i]).abs() < 1e-11, "{sum} {}", b[i]);
            let by_inverse: f64 = (0..n).map(|j| inverse[i * n + j] * b[j]).sum();
            assert!((by_inverse - x[i]).abs() < 1e-11);
        }
    }

    #[test]
    fn the_two_halves_are_l_and_its_transpose() {
        let mut factor = Cholesky::new(2);
        assert!(
            factor.factorize(2, 2, &[4.0, f64::NAN, 2.0, 5.0]),
            "upper triangle"
        );
        let mut b = [2.0, 5.0];
        factor.solve_lower(&mut b);
        assert_eq!(b, [1.0, 2.0]); // 2·1 = 2, 1·1 + 2·2 = 5
        factor.solve_upper(&mut b);
        assert_eq!(b, [0.0, 1.0]); // 2·0 + 1·1 = 1, 2·1 = 2
    }

    #[test]
    fn what_is_not_positive_definite_is_refused() {
        let mut factor = Cholesky::new(2);
        for bad in [
            [1.0, 2.0, 2.0, 1.0],
            [0.0; 4],
            [f64::NAN; 4],
            [f64::INFINITY, 0.0, 0.0, 1.0],
        ] {
            assert!(!factor.factorize(2, 2, &bad), "{bad:?}");
        }
    }
}
