//! Which numbers can a section hold?
//!
//! ```text
//! 1 u8    2 u32    3 u64    4 f32    5 f64    6 i64          written here
//! 7 f16   8 bf16   9 i8     10 i32   11 u16   12 i16         known by their size, so that a file with one is checked like any other
//! ```
//!
//! Little-endian, one after the other. What a section's numbers mean, its reader knows by the section's name.

use std::borrow::Cow;

/// The type of a section's elements, with its number in the file.
///
/// Types that nothing writes yet have their numbers already, so that old readers know their size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ElementType {
    /// 1
    U8,
    /// 2
    U32,
    /// 3
    U64,
    /// 4
    F32,
    /// 5
    F64,
    /// 6
    I64,
    /// 7
    F16,
    /// 8
    BF16,
    /// 9
    I8,
    /// 10
    I32,
    /// 11
    U16,
    /// 12
    I16,
}

impl ElementType {
    const ALL: [(u32, ElementType, u64, &'static str); 12] = [
        (1, ElementType::U8, 1, "u8"),
        (2, ElementType::U32, 4, "u32"),
        (3, ElementType::U64, 8, "u64"),
        (4, ElementType::F32, 4, "f32"),
        (5, ElementType::F64, 8, "f64"),
        (6, ElementType::I64, 8, "i64"),
        (7, ElementType::F16, 2, "f16"),
        (8, ElementType::BF16, 2, "bf16"),
        (9, ElementType::I8, 1, "i8"),
        (10, ElementType::I32, 4, "i32"),
        (11, ElementType::U16, 2, "u16"),
        (12, ElementType::I16, 2, "i16"),
    ];

    fn row(self) -> (u32, ElementType, u64, &'static str) {
        Self::ALL[self as usize]
    }

    /// Its number in the file.
    pub fn code(self) -> u32 {
        self.row().0
    }

    /// The type with that number.
    pub fn from_code(code: u32) -> Option<ElementType> {
        let found = Self::ALL.iter().find(|row| row.0 == code);
        found.map(|row| row.1)
    }

    /// Bytes of an element.
    pub fn size(self) -> u64 {
        self.row().2
    }

    /// `f32` and so on.
    pub fn name(self) -> &'static str {
        self.row().3
    }
}

/// A number that sections are made of.
pub trait Element: Copy + 'static {
    /// Its type in the directory.
    const TYPE: ElementType;
    /// Appends its bytes.
    fn put(self, bytes: &mut Vec<u8>);
    /// From exactly its bytes.
    ///
    /// # Panics
    /// Where there are more or fewer.
    fn get(bytes: &[u8]) -> Self;
}

macro_rules! elements {
    ($($t:ty, $variant:ident;)*) => {
        $(impl Element for $t {
            const TYPE: ElementType = ElementType::$variant;
            fn put(self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.to_le_bytes());
            }
            fn get(bytes: &[u8]) -> Self {
                let mut own = [0; size_of::<$t>()];
                own.copy_from_slice(bytes);
                <$t>::from_le_bytes(own)
            }
        }
        impl<'a> From<&'a [$t]> for Data<'a> {
            fn from(values: &'a [$t]) -> Data<'a> {
                Data::$variant(Cow::Borrowed(values))
            }
        }
        impl From<Vec<$t>> for Data<'_> {
            fn from(values: Vec<$t>) -> Self {
                Data::$variant(Cow::Owned(values))
            }
        })*

        /// The elements of a section to be written.
        #[derive(Clone, Debug)]
        #[non_exhaustive]
        pub enum Data<'a> {
            $(
                #[doc = concat!("`", stringify!($t), "`")]
                $variant(Cow<'a, [$t]>),
            )*
        }

        impl Data<'_> {
            /// The type of its elements.
            pub fn element(&self) -> ElementType {
                match self {
                    $(Data::$variant(_) => ElementType::$variant,)*
                }
            }

            /// The number of elements.
            pub fn len(&self) -> usize {
                match self {
                    $(Data::$variant(values) => values.len(),)*
                }
            }

            /// Whether there is none.
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }

            /// Appends the bytes of some elements.
            pub(super) fn put(&self, elements: std::ops::Range<usize>, bytes: &mut Vec<u8>) {
                match self {
                    $(Data::$variant(values) => {
                        for &value in &values[elements] {
                            value.put(bytes);
                        }
                    })*
                }
            }
        }
    };
}
elements! {
    u8, U8;
    u32, U32;
    u64, U64;
    f32, F32;
    f64, F64;
    i64, I64;
}

#[cfg(test)]
mod tests {
    use super::super::sections::CHUNK;
    use super::*;

    #[test]
    fn every_element_type_finds_itself_by_its_code() {
        for (code, element, size, _) in ElementType::ALL {
            assert_eq!(ElementType::from_code(code), Some(element));
            assert_eq!((element.code(), element.size()), (code, size));
            assert_eq!(CHUNK % size, 0, "an element must not lie in two chunks");
        }
        assert_eq!(ElementType::from_code(0), None);
        assert_eq!(ElementType::from_code(13), None);
    }
}
