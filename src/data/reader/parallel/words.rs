//! What do eight bytes at once say?
//!
//! ```text
//! 8 bytes as a little-endian word   "196,242,"
//! ⊕ "00000000"                      digits become 0 … 9, all others ≥ 10
//! the first byte ≥ 10               → the length, 3
//! << 8·(8 − 3)                      → 0 0 0 0 0 1 9 6
//! pairs, fours, eights              → 196
//! ```

/// 1 in each byte.
pub(super) const LOW: u64 = 0x0101_0101_0101_0101;
/// The top bit of each byte.
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Eight bytes as a little-endian word.
#[inline]
pub(super) fn load(text: &[u8], at: usize) -> Option<u64> {
    let bytes = text.get(at..at + 8)?;
    Some(u64::from_le_bytes(bytes.try_into().ok()?))
}

/// The first `n` bytes of `word`, 1 … 8 of them.
#[inline]
pub(super) fn first(word: u64, n: usize) -> u64 {
    let unused = 64 - 8 * n as u32;
    word << unused >> unused
}

/// The number of zero bytes before the first other one.
#[inline]
pub(super) fn zero_bytes(marks: u64) -> usize {
    marks.trailing_zeros() as usize / 8
}

/// The top bit of each byte that is above 9.
#[inline]
pub(super) fn above_nine(word: u64) -> u64 {
    (((word & !HIGH) + LOW * 0x76) | word) & HIGH
}

/// The top bit of the first byte that is `separator`, below a space, or above 127; bits above it mean nothing.
#[inline]
pub(super) fn special(word: u64, separator: u8) -> u64 {
    let same = word ^ (LOW * u64::from(separator));
    let equal = same.wrapping_sub(LOW) & !same;
    let below = word.wrapping_sub(LOW * b' ' as u64) & !word;
    (equal | below | word) & HIGH
}

/// The number that the first `n` bytes, digits 0 … 9, say.
#[inline]
pub(super) fn decimal(digits: u64, n: usize) -> u32 {
    let unused = 64 - 8 * n as u32;
    let word = digits.checked_shl(unused).unwrap_or(0);
    let pairs = word.wrapping_mul(10).wrapping_add(word >> 8) & 0x00FF_00FF_00FF_00FF;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_FFFF_0000_FFFF;
    fours.wrapping_mul(10_000).wrapping_add(fours >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str) -> u64 {
        load(text.as_bytes(), 0).unwrap()
    }

    #[test]
    fn a_word_of_digits_is_their_number() {
        for (text, n, value) in [
            ("0,......", 1, 0),
            ("7\n......", 1, 7),
            ("42,.....", 2, 42),
            ("00105,xx", 5, 105),
            ("1234567:", 7, 1_234_567),
            ("99999999", 8, 99_999_999),
            (",1234567", 0, 0),
        ] {
            let digits = word(text) ^ (LOW * b'0' as u64);
            let found = zero_bytes(above_nine(digits));
            assert_eq!(found, n, "{text}");
            assert_eq!(decimal(digits, n), value, "{text}");
        }
    }

    #[test]
    fn marks_stand_at_the_first_byte_of_their_kind() {
        for byte in 0..=255u8 {
            for at in 0..8 {
                // "(" and "+" are next to "," and could be hit by a borrow.
                let mut text = *b"-+(Az~9*";
                text[at] = byte;
                let word = u64::from_le_bytes(text);
                let wanted = byte == b',' || !(b' '..128).contains(&byte);
                let found = zero_bytes(special(word, b','));
                assert_eq!(found, if wanted { at } else { 8 }, "{byte} at {at}");
                let mut text = *b"01234567";
                text[at] = byte;
                let digits = u64::from_le_bytes(text) ^ (LOW * b'0' as u64);
                let wanted = !byte.is_ascii_digit();
                let found = zero_bytes(above_nine(digits));
                assert_eq!(found, if wanted { at } else { 8 }, "{byte} at {at}");
            }
        }
    }
}
