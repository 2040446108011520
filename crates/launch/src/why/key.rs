//! The keys of causes: each variant has one, and all of them can be listed.

/// Gives an enum of causes its `key` and `KEYS`.
macro_rules! keys {
    ($causes:ident { $($variant:ident = $key:literal,)* }) => {
        impl $causes {
            /// Every key of this field.
            pub const KEYS: &'static [&'static str] = &[$($key),*];

            /// The word for programs: kebab-case, and always the same.
            pub fn key(&self) -> &'static str {
                match self { $($causes::$variant { .. } => $key,)* }
            }
        }
    };
}

pub(super) use keys;
