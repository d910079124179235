//! What else does a cache say of its ratings?
//!
//! ```text
//! offset   bytes   field
//! 0        4       version of the cache, u32                         1
//! 4        1       what was done with duplicates                     0 last, 1 first, 2 mean, 3 sum, 4 max, 5 error
//! 5        1       1 where the text had a header, else 0
//! 6        1       1 where it was packed, else 0
//! 7        1       1 where the source has a stamp, else 0 and zeros from 32 on
//! 8        8       rows of the text, u64                             ratings + those that went
//! 16       8       pairs with more than one rating, u64
//! 24       8       ratings that went, u64
//! 32       8       length of the source, u64
//! 40       8       when it was last written, i64                     nanoseconds since 1970
//! 48       32      its SHA-256
//! ```
//!
//! Little-endian. There is one record for what it says: other bytes with the same meaning are refused.

use super::Stamp;
use crate::data::{Dedupe, Duplicates};
use crate::storage::Element;

/// The version that is written here.
const VERSION: u32 = 1;
const LENGTH: usize = 80;

/// The numbers of a cache that are no columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) rows: u64,
    pub(super) header: bool,
    pub(super) packed: bool,
    pub(super) duplicates: Duplicates,
    pub(super) stamp: Option<Stamp>,
}

/// What is wrong with the bytes of a record, and where in it.
#[derive(Debug)]
pub(super) struct Bad {
    pub(super) at: u64,
    pub(super) got: String,
    pub(super) wanted: String,
}

impl Record {
    pub(super) fn to_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(LENGTH);
        VERSION.put(&mut bytes);
        (self.duplicates.policy as u8).put(&mut bytes);
        for flag in [self.header, self.packed, self.stamp.is_some()] {
            u8::from(flag).put(&mut bytes);
        }
        let Duplicates { pairs, dropped, .. } = self.duplicates;
        for number in [self.rows, pairs as u64, dropped as u64] {
            number.put(&mut bytes);
        }
        if let Some(stamp) = self.stamp {
            stamp.bytes.put(&mut bytes);
            stamp.modified.put(&mut bytes);
            bytes.extend_from_slice(&stamp.sha256);
        }
        bytes.resize(LENGTH, 0);
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Record, Bad> {
        let bad = |at, got: String, wanted: &str| Bad {
            at,
            got,
            wanted: wanted.into(),
        };
        // The version first: another one may be longer.
        let version = bytes.get(..4).map(u32::get);
        if let Some(other) = version.filter(|&version| version != VERSION) {
            let wanted = "version 1, the only one that this program reads; make it anew with lowrank data convert";
            return Err(bad(0, format!("a cache of version {other}"), wanted));
        }
        if bytes.len() != LENGTH {
            let got = format!("a record of {} bytes", bytes.len());
            return Err(bad(0, got, "80"));
        }
        let policies = &Dedupe::ALL;
        let Some(&policy) = policies.get(usize::from(bytes[4])) else {
            return Err(bad(4, format!("policy {}", bytes[4]), "0 to 5"));
        };
        let number = |at: usize| u64::get(&bytes[at..at + 8]);
        let small = |at: usize| {
            usize::try_from(number(at))
                .map_err(|_| bad(at as u64, number(at).to_string(), "a smaller number"))
        };
        let stamp = Stamp {
            bytes: number(32),
            modified: i64::get(&bytes[40..48]),
            sha256: bytes[48..].try_into().expect("32 of 80 bytes"),
        };
        let record = Record {
            rows: number(8),
            header: bytes[5] == 1,
            packed: bytes[6] == 1,
            duplicates: Duplicates {
                policy,
                pairs: small(16)?,
                dropped: small(24)?,
            },
            stamp: (bytes[7] == 1).then_some(stamp),
        };
        let own = record.to_bytes();
        if let Some(at) = (0..LENGTH).find(|&at| own[at] != bytes[at]) {
            return Err(bad(at as u64, bytes[at].to_string(), &own[at].to_string()));
        }
        Ok(record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: Record = Record {
        rows: 10,
        header: true,
        packed: false,
        duplicates: Duplicates {
            policy: Dedupe::Mean,
            pairs: 2,
            dropped: 3,
        },
        stamp: Some(Stamp {
            bytes: 513,
            modified: -1,
            sha256: [7; 32],
        }),
    };

    #[test]
    fn a_record_has_the_bytes_of_the_table_and_comes_back() {
        let bytes = RECORD.to_bytes();
        assert_eq!(bytes[..8], [1, 0, 0, 0, 2, 1, 0, 1]);
        assert_eq!([8, 16, 24].map(|at| bytes[at]), [10, 2, 3]);
        assert_eq!(bytes[32..34], [1, 2]);
        assert_eq!(bytes[40..48], [255; 8]);
        assert_eq!(bytes[48..], [7; 32]);
        let piped = Record {
            stamp: None,
            ..RECORD
        };
        for record in [RECORD, piped] {
            assert_eq!(Record::from_bytes(&record.to_bytes()).unwrap(), record);
        }
    }

    #[test]
    fn policies_have_the_numbers_of_the_table() {
        let names = Dedupe::ALL.map(|policy| policy.to_string());
        assert_eq!(names, ["last", "first", "mean", "sum", "max", "error"]);
        for (code, policy) in Dedupe::ALL.into_iter().enumerate() {
            assert_eq!(policy as usize, code);
        }
    }

    #[test]
    fn bytes_that_say_nothing_are_refused_where_they_stand() {
        for (at, value) in [(0, 2), (4, 6), (5, 2), (6, 255), (7, 3)] {
            let mut bytes = RECORD.to_bytes();
            bytes[at] = value;
            assert_eq!(Record::from_bytes(&bytes).unwrap_err().at, at as u64);
        }
        let mut bytes = RECORD.to_bytes();
        bytes[7] = 0;
        assert_eq!(Record::from_bytes(&bytes).unwrap_err().at, 32);
        for length in [0, 3, 79, 81] {
            assert!(Record::from_bytes(&vec![1; length]).is_err(), "{length}");
        }
    }
}
