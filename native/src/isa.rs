//! The instruction sets that the routines of [`simd`](crate::simd) are written for, and which of them to use.

use std::ffi::OsStr;
use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use thiserror::Error;

/// The environment variable that overrides the choice.
const VARIABLE: &str = "PORISM_ISA";

/// A set of instructions. Whichever is used, the results are the same to the last bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isa {
    /// What every processor has. The oracle of the others.
    Portable,
    /// x86-64 with AVX2 and POPCNT.
    Avx2,
    /// x86-64 with AVX-512 F, BW and VNNI; its VPOPCNTDQ is used where it is there.
    Avx512,
    /// 64-bit Arm with NEON, which its architecture calls Advanced SIMD. The byte order must be little-endian.
    Neon,
}

/// Why no instruction set could be chosen.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum IsaError {
    /// The name is nobody's.
    #[error("no instruction set is called {name:?} (a name may come from {VARIABLE}); this CPU runs {}", names(.available))]
    #[allow(missing_docs, reason = "the message says it")]
    Unknown { name: String, available: Vec<Isa> },
    /// The CPU lacks it.
    #[error("this CPU lacks {isa} (a name may come from {VARIABLE}); it runs {}", names(.available))]
    #[allow(missing_docs, reason = "the message says it")]
    Unavailable { isa: Isa, available: Vec<Isa> },
}

impl Isa {
    const ALL: [Self; 4] = [Self::Portable, Self::Avx2, Self::Avx512, Self::Neon];

    /// Every one that this CPU runs, slowest first. It always begins with [`Isa::Portable`].
    pub fn available() -> Vec<Self> {
        Self::ALL.into_iter().filter(|isa| isa.is_available()).collect()
    }

    /// The one to use: the fastest that this CPU runs, or the one that the environment variable `PORISM_ISA` names. Looked up
    /// once; an empty variable counts as none.
    pub fn chosen() -> Result<Self, IsaError> {
        static CHOSEN: OnceLock<Result<Isa, IsaError>> = OnceLock::new();
        CHOSEN.get_or_init(|| choose(std::env::var_os(VARIABLE).as_deref())).clone()
    }

    fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
            Self::Neon => "neon",
        }
    }

    fn is_available(self) -> bool {
        match self {
            Self::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("popcnt"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                Self::Avx2.is_available()
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512vnni")
            }
            #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
            Self::Neon => std::arch::is_aarch64_feature_detected!("neon"),
            _ => false,
        }
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Isa {
    type Err = IsaError;

    /// Reads a name: `portable`, `avx2`, `avx512` or `neon`. The CPU need not have it.
    fn from_str(name: &str) -> Result<Self, IsaError> {
        Self::ALL
            .into_iter()
            .find(|isa| isa.name() == name)
            .ok_or_else(|| IsaError::Unknown { name: name.to_owned(), available: Self::available() })
    }
}

fn choose(wanted: Option<&OsStr>) -> Result<Isa, IsaError> {
    let available = Isa::available();
    let Some(wanted) = wanted.filter(|wanted| !wanted.is_empty()) else {
        return Ok(available.last().copied().unwrap_or(Isa::Portable));
    };
    let isa: Isa = wanted.to_string_lossy().parse()?;
    if available.contains(&isa) { Ok(isa) } else { Err(IsaError::Unavailable { isa, available }) }
}

fn names(available: &[Isa]) -> String {
    available.iter().map(|isa| isa.name()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_portable_one_is_always_there_and_comes_first() {
        assert_eq!(Isa::available().first(), Some(&Isa::Portable));
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        for isa in Isa::ALL {
            assert_eq!(isa.to_string().parse(), Ok(isa));
        }
    }

    #[test]
    fn the_fastest_is_chosen_unless_another_is_asked_for() {
        let available = Isa::available();
        assert_eq!(choose(None).ok(), available.last().copied());
        assert_eq!(choose(Some(OsStr::new(""))).ok(), available.last().copied());
        for isa in available {
            assert_eq!(choose(Some(OsStr::new(isa.name()))), Ok(isa));
        }
    }

    #[test]
    fn an_unknown_name_is_refused_with_those_that_are_there() {
        let refused = choose(Some(OsStr::new("AVX2 "))).unwrap_err().to_string();
        assert!(refused.contains("\"AVX2 \" (a name may come from PORISM_ISA); this CPU runs portable"), "{refused}");
    }

    #[test]
    fn one_that_the_cpu_lacks_is_refused_by_name() {
        for isa in Isa::ALL.into_iter().filter(|isa| !isa.is_available()) {
            let refused = choose(Some(OsStr::new(isa.name()))).unwrap_err().to_string();
            assert!(refused.starts_with(&format!("this CPU lacks {isa} ")), "{refused}");
        }
    }
}
