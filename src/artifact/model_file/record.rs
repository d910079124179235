//! Which numbers of a model are no arrays?
//!
//! ```text
//! n_factors            u32
//! global_mean          u8 (0 absent, 1 present), f64 if present
//! training_mean        f64
//! n_training_ratings   u64
//! link                 u8: 0 identity; 1 sigmoid, then lo and hi, f64 each
//! clip                 u8 (0 absent, 1 present), lo and hi, f32 each, if present
//! baseline's mean      u8 (0 absent, 1 present), f64 if present
//! ```
//!
//! Little-endian, nothing between the fields: bincode's format with integers of fixed size. bincode stands here alone, on a struct of its own, so a
//! change of the model's fields cannot change a file by accident.

use bincode::de::{Decode, Decoder};
use bincode::enc::{Encode, Encoder};
use bincode::error::{DecodeError, EncodeError};

use crate::model::{Clip, Link, Model};
use crate::storage::sections::MAX_RECORD;

/// Rows longer than this are refused: no model has them, and a forged number must not make anyone allocate them.
pub(super) const MAX_FACTORS: usize = 1 << 20;

/// The numbers of a model that are no arrays.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Record {
    pub(super) n_factors: u32,
    pub(super) global_mean: Option<f64>,
    pub(super) training_mean: f64,
    pub(super) n_training_ratings: u64,
    pub(super) link: Link,
    pub(super) clip: Option<Clip>,
    pub(super) baseline_mean: Option<f64>,
}

fn config() -> impl bincode::config::Config {
    bincode::config::standard()
        .with_fixed_int_encoding()
        .with_limit::<MAX_RECORD>()
}

impl Record {
    pub(super) fn of(model: &Model) -> Record {
        Record {
            // One above the limit stands for all above it; `problem` refuses it.
            n_factors: model.n_factors.min(MAX_FACTORS + 1) as u32,
            global_mean: model.global_mean,
            training_mean: model.training_mean,
            n_training_ratings: model.n_training_ratings,
            link: model.link,
            clip: model.clip,
            baseline_mean: model.baseline.as_ref().map(|b| b.global_mean),
        }
    }

    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, String> {
        bincode::encode_to_vec(self, config()).map_err(|error| error.to_string())
    }

    /// From all of `bytes`; what is wrong with them otherwise.
    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Record, String> {
        let (record, read): (Record, usize) =
            bincode::decode_from_slice(bytes, config()).map_err(|error| error.to_string())?;
        if read != bytes.len() {
            return Err(format!("{} bytes after its end", bytes.len() - read));
        }
        Ok(record)
    }

    /// A number that no model has: (what stands there, what should).
    pub(super) fn problem(&self) -> Option<(String, &'static str)> {
        if self.n_factors as usize > MAX_FACTORS {
            return Some((
                format!("{} factors", self.n_factors),
                "at most 1048576 factors",
            ));
        }
        let means = [
            self.global_mean,
            Some(self.training_mean),
            self.baseline_mean,
        ];
        if let Some(mean) = means.into_iter().flatten().find(|mean| !mean.is_finite()) {
            return Some((format!("a mean of {mean}"), "a finite mean"));
        }
        // Written so that NaN fails.
        if let Link::Sigmoid { lo, hi } = self.link
            && !(lo.is_finite() && hi.is_finite() && lo < hi)
        {
            return Some((
                format!("a sigmoid from {lo} to {hi}"),
                "a finite range that rises",
            ));
        }
        match self.clip {
            Some(Clip { lo, hi }) if !(lo.is_finite() && hi.is_finite() && lo <= hi) => {
                let got = format!("clipping to {lo}..{hi}");
                Some((got, "a finite range that does not fall"))
            }
            _ => None,
        }
    }
}

impl Encode for Record {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        self.n_factors.encode(encoder)?;
        self.global_mean.encode(encoder)?;
        self.training_mean.encode(encoder)?;
        self.n_training_ratings.encode(encoder)?;
        match self.link {
            Link::Identity => 0u8.encode(encoder)?,
            Link::Sigmoid { lo, hi } => {
                1u8.encode(encoder)?;
                (lo, hi).encode(encoder)?;
            }
        }
        self.clip.map(|clip| (clip.lo, clip.hi)).encode(encoder)?;
        self.baseline_mean.encode(encoder)
    }
}

impl<Context> Decode<Context> for Record {
    fn decode<D: Decoder<Context = Context>>(decoder: &mut D) -> Result<Self, DecodeError> {
        Ok(Record {
            n_factors: Decode::decode(decoder)?,
            global_mean: Decode::decode(decoder)?,
            training_mean: Decode::decode(decoder)?,
            n_training_ratings: Decode::decode(decoder)?,
            link: match u8::decode(decoder)? {
                0 => Link::Identity,
                1 => {
                    let (lo, hi) = Decode::decode(decoder)?;
                    Link::Sigmoid { lo, hi }
                }
                _ => return Err(DecodeError::Other("no link has that number")),
            },
            clip: <Option<(f32, f32)>>::decode(decoder)?.map(|(lo, hi)| Clip { lo, hi }),
            baseline_mean: Decode::decode(decoder)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record {
            n_factors: 16,
            global_mean: None,
            training_mean: 3.5,
            n_training_ratings: 7,
            link: Link::Sigmoid { lo: 1.0, hi: 5.0 },
            clip: Some(Clip { lo: 1.0, hi: 5.0 }),
            baseline_mean: Some(0.5),
        }
    }

    /// The bytes of the table above, written by hand.
    #[test]
    fn a_record_has_the_bytes_of_the_table() {
        let mut wanted = vec![16, 0, 0, 0, 0];
        wanted.extend(3.5f64.to_le_bytes());
        wanted.extend([7, 0, 0, 0, 0, 0, 0, 0, 1]);
        wanted.extend([1.0f64.to_le_bytes(), 5.0f64.to_le_bytes()].concat());
        wanted.push(1);
        wanted.extend([1.0f32.to_le_bytes(), 5.0f32.to_le_bytes()].concat());
        wanted.push(1);
        wanted.extend(0.5f64.to_le_bytes());
        assert_eq!(record().to_bytes().unwrap(), wanted);
        assert_eq!(Record::from_bytes(&wanted).unwrap(), record());
    }

    #[test]
    fn bytes_too_many_or_too_few_are_refused() {
        let bytes = record().to_bytes().unwrap();
        for length in 0..bytes.len() {
            assert!(Record::from_bytes(&bytes[..length]).is_err(), "{length}");
        }
        assert!(Record::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
    }

    #[test]
    fn numbers_that_no_model_has_are_a_problem() {
        assert_eq!(record().problem(), None);
        let with = |change: fn(&mut Record)| {
            let mut record = record();
            change(&mut record);
            record.problem()
        };
        assert!(with(|r| r.n_factors = u32::MAX).is_some());
        assert!(with(|r| r.training_mean = f64::NAN).is_some());
        assert!(with(|r| r.global_mean = Some(f64::INFINITY)).is_some());
        assert!(with(|r| r.baseline_mean = Some(f64::NAN)).is_some());
        assert!(with(|r| r.link = Link::Sigmoid { lo: 5.0, hi: 5.0 }).is_some());
        assert!(
            with(|r| r.link = Link::Sigmoid {
                lo: f64::NAN,
                hi: 5.0
            })
            .is_some()
        );
        assert!(with(|r| r.clip = Some(Clip { lo: 2.0, hi: 1.0 })).is_some());
        assert!(
            with(|r| r.clip = Some(Clip {
                lo: f32::NAN,
                hi: 1.0
            }))
            .is_some()
        );
    }
}
