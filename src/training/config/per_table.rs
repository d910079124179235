//! How is a number given to some tables and another to the rest?
//!
//! λ and the first deviation are set for all tables at once, and for single ones by name: `--l2 12 --l2 bias=4 --l2 item.genres=3`.

/// A number for every table: a default, and exceptions by the table's name.
///
/// | key | tables |
/// |---|---|
/// | `bias` | all biases |
/// | `user`, `item` | factors of the identity tables |
/// | `user.bias`, `item.bias` | their biases |
/// | `item.genres` | factors of the item group `genres` |
/// | `item.genres.bias` | its biases |
///
/// The most special key wins: `item.genres.bias`, then `bias`, then the default.
///
/// ```
/// use lowrank::training::PerTable;
/// let l2 = PerTable::new(12.0).with("bias", 4.0).with("item.genres", 3.0);
/// assert_eq!(l2.factors("user", None), 12.0);
/// assert_eq!(l2.factors("item", Some("genres")), 3.0);
/// assert_eq!(l2.biases("item", Some("genres")), 4.0);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct PerTable {
    pub(in crate::training) default: f64,
    pub(in crate::training) exceptions: Vec<(String, f64)>,
}

impl PerTable {
    /// The same number everywhere.
    pub fn new(default: f64) -> PerTable {
        PerTable {
            default,
            exceptions: Vec::new(),
        }
    }

    /// Another number for the tables that `key` names.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: f64) -> PerTable {
        let key = key.into();
        self.exceptions.retain(|(name, _)| *name != key);
        self.exceptions.push((key, value));
        self
    }

    /// Another number for the tables without one of their own.
    #[must_use]
    pub fn with_default(self, default: f64) -> PerTable {
        PerTable { default, ..self }
    }

    /// The number of the tables without one of their own.
    pub fn default(&self) -> f64 {
        self.default
    }

    /// The tables with numbers of their own.
    pub fn exceptions(&self) -> &[(String, f64)] {
        &self.exceptions
    }

    fn get(&self, key: &str) -> Option<f64> {
        self.exceptions
            .iter()
            .find(|(name, _)| name == key)
            .map(|&(_, value)| value)
    }

    /// The number of the factors of a table: `side` is `user` or `item`.
    pub fn factors(&self, side: &str, group: Option<&str>) -> f64 {
        self.exception(side, group).unwrap_or(self.default)
    }

    /// The number that was set for the factors of just this table.
    pub(crate) fn exception(&self, side: &str, group: Option<&str>) -> Option<f64> {
        self.get(&group.map_or(side.to_owned(), |group| format!("{side}.{group}")))
    }

    /// The number of the biases of a table.
    pub fn biases(&self, side: &str, group: Option<&str>) -> f64 {
        let key = group.map_or(format!("{side}.bias"), |group| {
            format!("{side}.{group}.bias")
        });
        self.get(&key)
            .or_else(|| self.get("bias"))
            .unwrap_or(self.default)
    }
}
