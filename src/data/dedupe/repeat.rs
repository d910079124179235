//! Which users have rated an item twice?
//!
//! Ratings come in any order, and a pass in the order of users would jump through memory for every rating. So they are dealt into buckets of neighbouring
//! users first, chunk by chunk, which reads and writes in order; a bucket then fits into a core's cache.
//!
//! ```text
//! bucket(user)  = user >> s                              about 512 of them
//! word(rating)  = (user's low s bits) << t | item        4 bytes: items have t bits, and s ≤ 32 − t
//!
//! chunk 0   [ bucket 0 | bucket 1 | … ]       a task a chunk: count, deal
//! chunk 1   [ bucket 0 | bucket 1 | … ]       a task some buckets: sort by user, mark each item with the last user who met it
//! ```
//!
//! Cost: 4 bytes a rating beside the data, O(ratings + users + items), no hashing. What becomes of the pairs is the question of `dedupe`.

use crate::kernels::pool::Pool;

/// Ratings of a chunk, at least.
const CHUNK: usize = 1 << 20;
/// Bits of a bucket's number, if the words allow it.
const BUCKET_BITS: u32 = 9;
/// Tasks of the second pass: each has marks for all items.
const TASKS: usize = 32;

/// How ratings become words.
#[derive(Clone, Copy)]
struct Deal {
    /// s: users of a bucket share all but so many bits.
    user_bits: u32,
    /// t: bits of an item.
    item_bits: u32,
    n_buckets: usize,
}

/// The words of a chunk by bucket, and where each bucket's start.
struct Dealt {
    words: Vec<u32>,
    starts: Vec<u32>,
}

/// The users with more than one rating of an item, in rising order.
pub(super) fn repeating_users(
    users: &[u32],
    items: &[u32],
    n_users: usize,
    n_items: usize,
    pool: &Pool,
) -> Vec<u32> {
    let deal = Deal::new(n_users, n_items, BUCKET_BITS);
    repeating(users, items, n_items, deal, CHUNK, pool)
}

fn repeating(
    users: &[u32],
    items: &[u32],
    n_items: usize,
    deal: Deal,
    chunk: usize,
    pool: &Pool,
) -> Vec<u32> {
    // With many buckets larger chunks, so that the starts stay small beside the words.
    let chunk = chunk.max(4 * deal.n_buckets);
    let chunks: Vec<_> = users.chunks(chunk).zip(items.chunks(chunk)).collect();
    let dealt = pool.map(chunks, |(users, items)| deal.chunk(users, items));
    let width = deal.n_buckets.div_ceil(TASKS);
    let tasks: Vec<_> = (0..deal.n_buckets).step_by(width).collect();
    let found = pool.map(tasks, |first| {
        let buckets = first..(first + width).min(deal.n_buckets);
        deal.repeating(&dealt, buckets, n_items)
    });
    found.concat()
}

impl Deal {
    fn new(n_users: usize, n_items: usize, bucket_bits: u32) -> Deal {
        // Bits of the greatest number.
        let bits = |n: usize| usize::BITS - n.saturating_sub(1).leading_zeros();
        let item_bits = bits(n_items).min(32);
        let user_bits = bits(n_users)
            .saturating_sub(bucket_bits)
            .min(32 - item_bits);
        Deal {
            user_bits,
            item_bits,
            n_buckets: (n_users.saturating_sub(1) >> user_bits) + 1,
        }
    }

    fn bucket(self, user: u32) -> usize {
        (user >> self.user_bits) as usize
    }

    fn word(self, user: u32, item: u32) -> u32 {
        let low = u64::from(user) & ((1 << self.user_bits) - 1);
        (low << self.item_bits) as u32 | item
    }

    /// The low bits of the user and the item.
    fn parts(self, word: u32) -> (usize, u32) {
        let word = u64::from(word);
        let item = word & ((1 << self.item_bits) - 1);
        ((word >> self.item_bits) as usize, item as u32)
    }

    /// Deals a chunk into buckets.
    fn chunk(self, users: &[u32], items: &[u32]) -> Dealt {
        let mut starts = vec![0u32; self.n_buckets + 1];
        for &user in users {
            starts[self.bucket(user) + 1] += 1;
        }
        for bucket in 0..self.n_buckets {
            starts[bucket + 1] += starts[bucket];
        }
        let mut next = starts.clone();
        let mut words = vec![0; users.len()];
        for (&user, &item) in users.iter().zip(items) {
            let next = &mut next[self.bucket(user)];
            words[*next as usize] = self.word(user, item);
            *next += 1;
        }
        Dealt { words, starts }
    }

    /// The users of `buckets` who have an item twice.
    fn repeating(
        self,
        dealt: &[Dealt],
        buckets: std::ops::Range<usize>,
        n_items: usize,
    ) -> Vec<u32> {
        // The last user who met each item.
        let mut met = vec![u32::MAX; n_items];
        let mut found = Vec::new();
        let mut next = Vec::new();
        let mut sorted: Vec<u32> = Vec::new();
        for bucket in buckets {
            let words = || {
                let of = |chunk: &'_ Dealt| {
                    chunk.starts[bucket] as usize..chunk.starts[bucket + 1] as usize
                };
                dealt.iter().flat_map(move |chunk| &chunk.words[of(chunk)])
            };
            // Items by user: `next` is where each user's start, then where they end.
            next.clear();
            next.resize((1 << self.user_bits) + 1, 0usize);
            words().for_each(|&word| next[self.parts(word).0 + 1] += 1);
            for user in 0..1 << self.user_bits {
                next[user + 1] += next[user];
            }
            sorted.resize(next[1 << self.user_bits], 0);
            words().for_each(|&word| {
                let (user, item) = self.parts(word);
                sorted[next[user]] = item;
                next[user] += 1;
            });
            let mut start = 0;
            for (low, &end) in next[..1 << self.user_bits].iter().enumerate() {
                let user = (bucket << self.user_bits | low) as u32;
                let mut twice = false;
                for &item in &sorted[start..end] {
                    let met = &mut met[item as usize];
                    twice |= *met == user;
                    *met = user;
                }
                if twice {
                    found.push(user);
                }
                start = end;
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn they_are_those_of_a_set_of_pairs(
            (n_users, n_items) in (1u32..40, prop_oneof![1u32..40, Just(1 << 20)]),
            rows in proptest::collection::vec((any::<u32>(), any::<u32>()), 0..120),
            bucket_bits in 0u32..6,
            (chunk, threads) in (1usize..50, 1usize..3),
        ) {
            let users: Vec<u32> = rows.iter().map(|row| row.0 % n_users).collect();
            let items: Vec<u32> = rows.iter().map(|row| n_items - 1 - row.1 % n_items.min(30)).collect();
            let mut pairs = BTreeSet::new();
            let twice: BTreeSet<u32> = users
                .iter()
                .zip(&items)
                .filter(|pair| !pairs.insert(*pair))
                .map(|(&user, _)| user)
                .collect();
            let n_items = n_items as usize;
            let deal = Deal::new(n_users as usize, n_items, bucket_bits);
            let found = repeating(&users, &items, n_items, deal, chunk, &Pool::new(threads));
            prop_assert_eq!(found, twice.into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_word_holds_both_numbers_at_any_size() {
        for (n_users, n_items) in [
            (1, 1),
            (1, 1 << 32),
            (1 << 32, 1),
            (1 << 31, 1 << 32),
            (138_000, 27_000),
            ((1 << 20) + 1, (1 << 12) + 1),
        ] {
            let deal = Deal::new(n_users, n_items, BUCKET_BITS);
            for user in [0, n_users / 3, n_users - 1] {
                for item in [0, n_items / 3, n_items - 1] {
                    let (user, item) = (user as u32, item as u32);
                    let (low, same) = deal.parts(deal.word(user, item));
                    let whole = deal.bucket(user) << deal.user_bits | low;
                    assert_eq!((whole as u32, same), (user, item), "{n_users} {n_items}");
                    assert!(deal.bucket(user) < deal.n_buckets);
                }
            }
        }
    }
}
