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
//! posterior            nothing where the model has none, otherwise
//!                      u8: 1 samples, 2 variances; the noise, f64; the number of samples, u32, if there are
//! purpose              nothing where the model does not say, otherwise
//!                      u8: 3; the meaning, u8: 0 rating, 1 probability, 2 rank; the similarity, u8: 0 dot, 1 cosine;
//!                      l2 and bias_l2, f64 each; u8: 1 where they count once a rating; the loss: its length, u64, and at most 64 bytes
//! schema               nothing where the model has no features, or is from before models knew; otherwise
//!                      u8: 4; the fingerprint, u128
//! reference            nothing where the model has none, otherwise
//!                      u8: 5; the deviation of the training ratings, f64; the RMSE on training pairs: u8 (0 absent, 1 present), f64 if present
//! ```
//!
//! Little-endian, nothing between the fields: bincode's format with integers of fixed size. bincode stands here alone, on a struct of its own, so a
//! change of the model's fields cannot change a file by accident.

use bincode::de::{Decode, Decoder};
use bincode::enc::{Encode, Encoder};
use bincode::error::{DecodeError, EncodeError};

use crate::kernels::lanes::LANES;
use crate::model::{Clip, Link, Meaning, Model, Posterior, Purpose, Reference, Similarity, Spread};
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
    pub(super) posterior: Option<PosteriorRecord>,
    pub(super) purpose: Option<Purpose>,
    /// The fingerprint of the schema.
    pub(super) schema: Option<u128>,
    pub(super) reference: Option<ReferenceRecord>,
}

/// The numbers of a model's reference that are no arrays.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ReferenceRecord {
    pub(super) rating_std: f64,
    pub(super) train_rmse: Option<f64>,
}

/// The numbers of a model's posterior that are no arrays.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct PosteriorRecord {
    pub(super) noise: f64,
    /// The number of samples; `None` of variances.
    pub(super) samples: Option<u32>,
}

/// The name of a loss is no longer.
const MAX_LOSS: usize = 64;
/// The first byte of a purpose; a posterior begins with 1 or 2.
const PURPOSE: u8 = 3;
/// That of a schema.
const SCHEMA: u8 = 4;
/// The first byte of a reference.
const REFERENCE: u8 = 5;

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
            posterior: model.posterior.as_ref().map(PosteriorRecord::of),
            purpose: model.purpose.clone(),
            schema: model.schema().map(|schema| schema.fingerprint().0),
            reference: model.reference.as_ref().map(ReferenceRecord::of),
        }
    }

    /// Whether rows are normalised.
    pub(super) fn is_cosine(&self) -> bool {
        let similarity = self.purpose.as_ref().map(|purpose| purpose.similarity);
        similarity == Some(Similarity::Cosine)
    }

    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, String> {
        bincode::encode_to_vec(self, config()).map_err(|error| error.to_string())
    }

    /// From all of `bytes`; what is wrong with them otherwise.
    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Record, String> {
        let problem = |error: DecodeError| error.to_string();
        let (mut record, mut read): (Record, usize) =
            bincode::decode_from_slice(bytes, config()).map_err(problem)?;
        // The first byte of each part of the tail says which it is.
        if matches!(bytes.get(read), Some(1 | 2)) {
            let (posterior, more) =
                bincode::decode_from_slice(&bytes[read..], config()).map_err(problem)?;
            record.posterior = Some(posterior);
            read += more;
        }
        if bytes.get(read) == Some(&PURPOSE) {
            let (PurposeRecord(purpose), more) =
                bincode::decode_from_slice(&bytes[read..], config()).map_err(problem)?;
            record.purpose = Some(purpose);
            read += more;
        }
        if bytes.get(read) == Some(&SCHEMA) {
            let ((_, fingerprint), more): ((u8, u128), usize) =
                bincode::decode_from_slice(&bytes[read..], config()).map_err(problem)?;
            record.schema = Some(fingerprint);
            read += more;
        }
        if bytes.get(read) == Some(&REFERENCE) {
            let (reference, more) =
                bincode::decode_from_slice(&bytes[read..], config()).map_err(problem)?;
            record.reference = Some(reference);
            read += more;
        }
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
            _ => self
                .problem_of_posterior()
                .or(self.problem_of_purpose())
                .or(self.problem_of_reference()),
        }
    }

    fn problem_of_purpose(&self) -> Option<(String, &'static str)> {
        let purpose = self.purpose.as_ref()?;
        for l2 in [purpose.l2, purpose.bias_l2] {
            if !(l2.is_finite() && l2 >= 0.0) {
                let got = format!("a penalty of {l2}");
                return Some((got, "a finite number that is not negative"));
            }
        }
        let loss = purpose.loss.as_bytes();
        if loss.is_empty() || loss.len() > MAX_LOSS || !loss.iter().all(u8::is_ascii_graphic) {
            let got = format!("a loss called by {} bytes", loss.len());
            return Some((got, "1 to 64 visible characters of ASCII"));
        }
        let beside = [self.global_mean.is_some(), self.posterior.is_some()];
        if self.is_cosine() && beside.contains(&true) {
            let got = "a mean or a posterior beside cosines".into();
            return Some((got, "a model of cosines, with neither"));
        }
        None
    }

    fn problem_of_reference(&self) -> Option<(String, &'static str)> {
        let reference = self.reference?;
        let numbers = [Some(reference.rating_std), reference.train_rmse];
        let bad = |x: &f64| !(x.is_finite() && *x >= 0.0);
        let bad = numbers.into_iter().flatten().find(bad)?;
        let got = format!("a deviation or an error of {bad}");
        Some((got, "a finite number that is not negative"))
    }

    fn problem_of_posterior(&self) -> Option<(String, &'static str)> {
        let PosteriorRecord { noise, samples } = self.posterior?;
        if !(noise.is_finite() && noise >= 0.0) {
            let got = format!("a noise of {noise}");
            return Some((got, "a finite number that is not negative"));
        }
        if self.link != Link::Identity {
            let got = "a posterior beside a sigmoid".into();
            return Some((got, "the identity as link"));
        }
        let count = samples? as usize;
        let whole_blocks = |count: usize| (self.n_factors as usize).is_multiple_of(count * LANES);
        // The limit first: it keeps the product small.
        if count == 0 || count > MAX_FACTORS || !whole_blocks(count) {
            let got = format!("{count} samples in {} factors", self.n_factors);
            return Some((got, "samples of whole lanes, at least one"));
        }
        None
    }
}

impl PosteriorRecord {
    fn of(posterior: &Posterior) -> PosteriorRecord {
        PosteriorRecord {
            noise: posterior.noise,
            samples: match &posterior.spread {
                // As with the factors: one above the limit stands for all above it.
                Spread::Samples { count, .. } => Some((*count).min(MAX_FACTORS + 1) as u32),
                Spread::Variances { .. } => None,
            },
        }
    }
}

impl ReferenceRecord {
    fn of(reference: &Reference) -> ReferenceRecord {
        ReferenceRecord {
            rating_std: reference.rating_std,
            train_rmse: reference.train_rmse,
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
        self.baseline_mean.encode(encoder)?;
        if let Some(posterior) = self.posterior {
            posterior.encode(encoder)?;
        }
        if let Some(purpose) = &self.purpose {
            PurposeRecord(purpose.clone()).encode(encoder)?;
        }
        if let Some(fingerprint) = self.schema {
            (SCHEMA, fingerprint).encode(encoder)?;
        }
        match self.reference {
            Some(reference) => reference.encode(encoder),
            None => Ok(()),
        }
    }
}

// What follows the baseline's mean is for `from_bytes`, which knows where the bytes end.
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
            posterior: None,
            purpose: None,
            schema: None,
            reference: None,
        })
    }
}

impl Encode for PosteriorRecord {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        let kind: u8 = if self.samples.is_some() { 1 } else { 2 };
        (kind, self.noise).encode(encoder)?;
        match self.samples {
            Some(count) => count.encode(encoder),
            None => Ok(()),
        }
    }
}

impl<Context> Decode<Context> for PosteriorRecord {
    fn decode<D: Decoder<Context = Context>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let (kind, noise): (u8, f64) = Decode::decode(decoder)?;
        let samples = match kind {
            1 => Some(Decode::decode(decoder)?),
            2 => None,
            _ => return Err(DecodeError::Other("no posterior has that number")),
        };
        Ok(PosteriorRecord { noise, samples })
    }
}

impl Encode for ReferenceRecord {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        (REFERENCE, self.rating_std, self.train_rmse).encode(encoder)
    }
}

impl<Context> Decode<Context> for ReferenceRecord {
    fn decode<D: Decoder<Context = Context>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let (_, rating_std, train_rmse): (u8, f64, Option<f64>) = Decode::decode(decoder)?;
        Ok(ReferenceRecord {
            rating_std,
            train_rmse,
        })
    }
}

/// A purpose as it stands in the file.
struct PurposeRecord(Purpose);

impl Encode for PurposeRecord {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        let purpose = &self.0;
        let meaning: u8 = match purpose.meaning {
            Meaning::Rating => 0,
            Meaning::Probability => 1,
            Meaning::Rank => 2,
        };
        let similarity: u8 = match purpose.similarity {
            Similarity::Dot => 0,
            Similarity::Cosine => 1,
        };
        (PURPOSE, meaning, similarity).encode(encoder)?;
        (purpose.l2, purpose.bias_l2, purpose.l2_per_rating).encode(encoder)?;
        purpose.loss.encode(encoder)
    }
}

impl<Context> Decode<Context> for PurposeRecord {
    fn decode<D: Decoder<Context = Context>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let (_, meaning, similarity): (u8, u8, u8) = Decode::decode(decoder)?;
        let (l2, bias_l2, l2_per_rating) = Decode::decode(decoder)?;
        Ok(PurposeRecord(Purpose {
            meaning: match meaning {
                0 => Meaning::Rating,
                1 => Meaning::Probability,
                2 => Meaning::Rank,
                _ => return Err(DecodeError::Other("no meaning has that number")),
            },
            similarity: match similarity {
                0 => Similarity::Dot,
                1 => Similarity::Cosine,
                _ => return Err(DecodeError::Other("no similarity has that number")),
            },
            loss: Decode::decode(decoder)?,
            l2,
            bias_l2,
            l2_per_rating,
        }))
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
            posterior: None,
            purpose: None,
            schema: None,
            reference: None,
        }
    }

    fn purpose() -> Purpose {
        Purpose {
            meaning: Meaning::Rank,
            similarity: Similarity::Dot,
            loss: "softmax:0.1".into(),
            l2: 0.5,
            bias_l2: 4.0,
            l2_per_rating: true,
        }
    }

    /// What the table says of that purpose.
    fn tail_of_purpose() -> Vec<u8> {
        let l2 = [0.5f64.to_le_bytes(), 4.0f64.to_le_bytes()].concat();
        let length = 11u64.to_le_bytes();
        [&[3, 2, 0], &l2[..], &[1], &length, b"softmax:0.1"].concat()
    }

    fn with_posterior(samples: Option<u32>) -> Record {
        Record {
            link: Link::Identity,
            posterior: Some(PosteriorRecord {
                noise: 0.75,
                samples,
            }),
            ..record()
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

        let without = Record {
            posterior: None,
            ..with_posterior(None)
        };
        let noise = &0.75f64.to_le_bytes()[..];
        for (samples, tail) in [
            (Some(2), [&[1], noise, &[2, 0, 0, 0]].concat()),
            (None, [&[2], noise].concat()),
        ] {
            let wanted = [without.to_bytes().unwrap(), tail].concat();
            let record = with_posterior(samples);
            assert_eq!(record.to_bytes().unwrap(), wanted);
            assert_eq!(Record::from_bytes(&wanted).unwrap(), record);
        }
    }

    #[test]
    fn bytes_too_many_or_too_few_are_refused() {
        let bytes = record().to_bytes().unwrap();
        for length in 0..bytes.len() {
            assert!(Record::from_bytes(&bytes[..length]).is_err(), "{length}");
        }
        assert!(Record::from_bytes(&[&bytes[..], &[0]].concat()).is_err());

        for samples in [None, Some(2)] {
            let bytes = with_posterior(samples).to_bytes().unwrap();
            let tail = if samples.is_some() { 13 } else { 9 };
            for length in 0..bytes.len() {
                // Cut before the posterior it is a record without; the sections would have too many then.
                let whole = length == bytes.len() - tail;
                let outcome = Record::from_bytes(&bytes[..length]);
                assert_eq!(outcome.is_ok(), whole, "{length}");
            }
            for more in 0..4 {
                assert!(Record::from_bytes(&[&bytes[..], &[more]].concat()).is_err());
            }
        }
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

    #[test]
    fn a_posterior_that_no_model_has_is_a_problem() {
        for samples in [None, Some(1), Some(2)] {
            assert_eq!(with_posterior(samples).problem(), None);
        }
        for samples in [0, 3, 4, u32::MAX] {
            assert!(with_posterior(Some(samples)).problem().is_some());
        }
        for noise in [-0.5, f64::NAN, f64::INFINITY] {
            let mut record = with_posterior(None);
            record.posterior = Some(PosteriorRecord {
                noise,
                samples: None,
            });
            assert!(record.problem().is_some(), "{noise}");
        }
        let sigmoid = Record {
            link: Link::Sigmoid { lo: 1.0, hi: 5.0 },
            ..with_posterior(None)
        };
        assert!(sigmoid.problem().is_some());
    }

    #[test]
    fn a_purpose_stands_at_the_end_with_and_without_a_posterior() {
        let without = [record(), with_posterior(None), with_posterior(Some(2))];
        for without in without {
            let with = Record {
                purpose: Some(purpose()),
                ..without.clone()
            };
            let before = without.to_bytes().unwrap();
            let bytes = with.to_bytes().unwrap();
            assert_eq!(bytes, [&before[..], &tail_of_purpose()].concat());
            assert_eq!(Record::from_bytes(&bytes).unwrap(), with);
            for length in before.len() + 1..bytes.len() {
                assert!(Record::from_bytes(&bytes[..length]).is_err(), "{length}");
            }
            for more in 0..5 {
                assert!(Record::from_bytes(&[&bytes[..], &[more]].concat()).is_err());
            }
            // A posterior after the purpose would be a second file of the same model.
            let twice = [&bytes[..], &tail_of_purpose()].concat();
            assert!(Record::from_bytes(&twice).is_err());
        }
        let start = record().to_bytes().unwrap();
        for (at, byte) in [(1, 3), (2, 2), (19, 2), (27, 255)] {
            let mut tail = tail_of_purpose();
            tail[at] = byte;
            let forged = [&start[..], &tail].concat();
            assert!(Record::from_bytes(&forged).is_err(), "{at}");
        }
    }

    #[test]
    fn a_schema_stands_after_all_else() {
        let purposeful = Record {
            purpose: Some(purpose()),
            ..with_posterior(Some(2))
        };
        for without in [record(), with_posterior(None), purposeful] {
            let with = Record {
                schema: Some(0x0102),
                ..without.clone()
            };
            let before = without.to_bytes().unwrap();
            let bytes = with.to_bytes().unwrap();
            let mut tail = vec![4, 2, 1];
            tail.resize(17, 0);
            assert_eq!(bytes, [&before[..], &tail].concat());
            assert_eq!(Record::from_bytes(&bytes).unwrap(), with);
            for length in before.len() + 1..bytes.len() {
                assert!(Record::from_bytes(&bytes[..length]).is_err(), "{length}");
            }
            for more in 0..7 {
                assert!(Record::from_bytes(&[&bytes[..], &[more]].concat()).is_err());
            }
            let other_way = [&record().to_bytes().unwrap()[..], &tail, &tail_of_purpose()].concat();
            assert!(Record::from_bytes(&other_way).is_err());
        }
    }

    #[test]
    fn a_reference_stands_after_all_else() {
        let purpose = Some(purpose());
        let all = Record {
            purpose,
            ..with_posterior(Some(2))
        };
        for without in [record(), with_posterior(None), all] {
            for train_rmse in [None, Some(0.5)] {
                let reference = ReferenceRecord {
                    rating_std: 1.25,
                    train_rmse,
                };
                let with = Record {
                    reference: Some(reference),
                    ..without.clone()
                };
                let mut wanted = without.to_bytes().unwrap();
                let before = wanted.len();
                wanted.push(5);
                wanted.extend(1.25f64.to_le_bytes());
                match train_rmse {
                    Some(rmse) => wanted.extend([&[1][..], &rmse.to_le_bytes()].concat()),
                    None => wanted.push(0),
                }
                assert_eq!(with.to_bytes().unwrap(), wanted);
                assert_eq!(Record::from_bytes(&wanted).unwrap(), with);
                for length in before + 1..wanted.len() {
                    assert!(Record::from_bytes(&wanted[..length]).is_err(), "{length}");
                }
                for more in 0..7 {
                    assert!(Record::from_bytes(&[&wanted[..], &[more]].concat()).is_err());
                }
                // Nothing that comes before it may come after it.
                let purpose_after = [&wanted[..], &tail_of_purpose()].concat();
                assert!(Record::from_bytes(&purpose_after).is_err());
                let mut flag = wanted.clone();
                flag[before + 9] = 2;
                assert!(Record::from_bytes(&flag).is_err());
            }
        }
    }

    #[test]
    fn a_reference_that_no_model_has_is_a_problem() {
        let with = |rating_std, train_rmse| {
            let reference = ReferenceRecord {
                rating_std,
                train_rmse,
            };
            let mut record = record();
            record.reference = Some(reference);
            record.problem()
        };
        assert_eq!(with(0.0, None), None);
        assert_eq!(with(1.0, Some(0.0)), None);
        for bad in [-0.5, f64::NAN, f64::INFINITY] {
            assert!(with(bad, None).is_some(), "{bad}");
            assert!(with(1.0, Some(bad)).is_some(), "{bad}");
        }
    }

    #[test]
    fn a_purpose_that_no_model_has_is_a_problem() {
        let with = |change: fn(&mut Record, &mut Purpose)| {
            let (mut record, mut purpose) = (record(), purpose());
            change(&mut record, &mut purpose);
            record.purpose = Some(purpose);
            record.problem()
        };
        assert_eq!(with(|_, _| ()), None);
        assert_eq!(with(|_, p| p.loss = "x".repeat(64)), None);
        assert_eq!(with(|_, p| p.similarity = Similarity::Cosine), None);
        let refused: [fn(&mut Record, &mut Purpose); 9] = [
            |_, p| p.l2 = -1.0,
            |_, p| p.l2 = f64::NAN,
            |_, p| p.bias_l2 = f64::INFINITY,
            |_, p| p.loss = String::new(),
            |_, p| p.loss = "x".repeat(65),
            |_, p| p.loss = "two words".into(),
            |_, p| p.loss = "größer".into(),
            |r, p| {
                (r.global_mean, p.similarity) = (Some(0.0), Similarity::Cosine);
            },
            |r, p| {
                *r = with_posterior(None);
                p.similarity = Similarity::Cosine;
            },
        ];
        for (n, change) in refused.into_iter().enumerate() {
            assert!(with(change).is_some(), "{n}");
        }
    }
}
