//! How is a sparse matrix held?
//!
//! Compressed sparse rows: the column numbers of all rows, one row after the other, and where each row ends.
//!
//! ```text
//! row r = columns[starts[r] .. starts[r + 1]],   starts[0] = 0,   starts.len() = n_rows + 1
//! ```

/// A sparse matrix of ones: which columns each row has.
///
/// ```
/// use lowrank::data::Csr;
/// let genres = Csr::from_rows([vec![0, 2], vec![], vec![1]]);
/// assert_eq!(genres.row(0), [0, 2]);
/// assert!(genres.row(1).is_empty());
/// assert_eq!((genres.n_rows(), genres.n_entries()), (3, 3));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Csr {
    starts: Vec<u64>,
    columns: Vec<u32>,
}

impl Default for Csr {
    fn default() -> Csr {
        Csr {
            starts: vec![0],
            columns: Vec::new(),
        }
    }
}

/// A matrix whose entries come in any order, when it is known how many each row gets. Memory: that of the matrix, and 8 bytes a row.
#[derive(Clone, Debug)]
pub struct Filling {
    matrix: Csr,
    /// Where the next entry of each row goes.
    next: Vec<u64>,
}

impl Filling {
    /// Room for `counts[r]` entries of row r.
    pub fn new(counts: &[u32]) -> Filling {
        let mut starts = vec![0u64];
        for &count in counts {
            starts.push(starts[starts.len() - 1] + u64::from(count));
        }
        Filling {
            next: starts[..counts.len()].to_vec(),
            matrix: Csr {
                columns: vec![0; starts[counts.len()] as usize],
                starts,
            },
        }
    }

    /// An entry.
    ///
    /// # Panics
    /// Where row `row` has got more than its count, and is the last.
    #[inline]
    pub fn put(&mut self, row: u32, column: u32) {
        let next = &mut self.next[row as usize];
        self.matrix.columns[*next as usize] = column;
        *next += 1;
    }

    /// The matrix of the entries: each row's columns rise, and stand there once each.
    pub fn finish(self) -> Csr {
        let Csr {
            starts,
            mut columns,
        } = self.matrix;
        let (mut end, mut ends) = (0, vec![0u64]);
        for (row, next) in self.next.iter().enumerate() {
            let (start, next) = (starts[row] as usize, *next as usize);
            columns[start..next].sort_unstable();
            let first = end;
            for at in start..next {
                if end == first || columns[end - 1] != columns[at] {
                    columns[end] = columns[at];
                    end += 1;
                }
            }
            ends.push(end as u64);
        }
        columns.truncate(end);
        Csr {
            starts: ends,
            columns,
        }
    }
}

impl Csr {
    /// From the columns of each row, in order.
    pub fn from_rows<R: AsRef<[u32]>>(rows: impl IntoIterator<Item = R>) -> Csr {
        let mut matrix = Csr::default();
        for row in rows {
            matrix.push_row(row.as_ref());
        }
        matrix
    }

    /// From (row, column) pairs in any order; each row's columns come out rising, and once each.
    pub fn from_pairs(n_rows: usize, pairs: impl Iterator<Item = (u32, u32)> + Clone) -> Csr {
        let mut counts = vec![0u32; n_rows];
        for (row, _) in pairs.clone() {
            counts[row as usize] += 1;
        }
        let mut filling = Filling::new(&counts);
        for (row, column) in pairs {
            filling.put(row, column);
        }
        filling.finish()
    }

    /// Adds a row at the end.
    pub fn push_row(&mut self, columns: &[u32]) {
        self.columns.extend_from_slice(columns);
        self.starts.push(self.columns.len() as u64);
    }

    /// The columns of row `r`.
    ///
    /// # Panics
    /// Where there is no such row.
    pub fn row(&self, r: usize) -> &[u32] {
        &self.columns[self.starts[r] as usize..self.starts[r + 1] as usize]
    }

    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        self.starts.len() - 1
    }

    /// The number of entries in all rows.
    pub fn n_entries(&self) -> usize {
        self.columns.len()
    }

    /// The range of row `r` in an array that runs beside the entries (weights, say).
    pub(crate) fn range(&self, r: usize) -> std::ops::Range<usize> {
        self.starts[r] as usize..self.starts[r + 1] as usize
    }

    /// The flat arrays, for a file: where rows start, and the columns.
    pub(crate) fn parts(&self) -> (&[u64], &[u32]) {
        (&self.starts, &self.columns)
    }

    /// From flat arrays that a file gave; `None` where they do not fit together or a column is not below `n_columns`.
    pub(crate) fn from_parts(starts: Vec<u64>, columns: Vec<u32>, n_columns: usize) -> Option<Csr> {
        let fits = starts.first() == Some(&0)
            && starts.windows(2).all(|w| w[0] <= w[1])
            && starts.last().copied() == Some(columns.len() as u64)
            && columns.iter().all(|&column| (column as usize) < n_columns);
        fits.then_some(Csr { starts, columns })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_in_any_order_come_out_sorted_and_once() {
        let pairs = [(2, 5), (0, 3), (2, 1), (0, 3), (2, 5)];
        let matrix = Csr::from_pairs(4, pairs.into_iter());
        let rows: Vec<&[u32]> = (0..4).map(|r| matrix.row(r)).collect();
        assert_eq!(rows, [&[3][..], &[], &[1, 5], &[]]);
    }

    #[test]
    fn arrays_that_do_not_fit_are_refused() {
        assert!(Csr::from_parts(vec![0, 1, 2], vec![0, 1], 2).is_some());
        assert!(
            Csr::from_parts(vec![0, 1, 2], vec![0, 2], 2).is_none(),
            "column out of range"
        );
        assert!(
            Csr::from_parts(vec![0, 2, 1], vec![0, 1], 2).is_none(),
            "falling"
        );
        assert!(
            Csr::from_parts(vec![0, 1], vec![0, 1], 2).is_none(),
            "entries left over"
        );
        assert!(Csr::from_parts(vec![], vec![], 2).is_none(), "no start");
    }
}
