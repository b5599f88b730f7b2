//! Vectors in exports: base64 with padding (RFC 4648, section 4).

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

pub(super) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let at = |index| u32::from(group.get(index).copied().unwrap_or_default());
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for digit in 0..4 {
            let value = (bits >> (18 - 6 * digit)) & 0x3f;
            // A group of n bytes fills n + 1 digits.
            text.push(if digit > group.len() { '=' } else { char::from(ALPHABET[value as usize]) });
        }
    }
    text
}

/// The bytes that `encode` made `text` of; `None` if it made no such text.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for group in text.as_bytes().chunks(4) {
        let padding = group.iter().rev().take_while(|&&byte| byte == b'=').count();
        let mut bits = 0_u32;
        for &byte in group.get(..4 - padding)? {
            bits = bits << 6 | u32::try_from(ALPHABET.iter().position(|&known| known == byte)?).ok()?;
        }
        bits <<= 6 * padding;
        bytes.extend_from_slice(bits.to_be_bytes().get(1..4_usize.checked_sub(padding)?)?);
    }
    (encode(&bytes) == text).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_that_of_the_rfc() {
        let cases = [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")];
        for (plain, coded) in cases {
            assert_eq!(encode(plain.as_bytes()), coded);
            assert_eq!(decode(coded).as_deref(), Some(plain.as_bytes()));
        }
        assert_eq!(encode(&[0xfb, 0xff]), "+/8=");
    }

    #[test]
    fn anything_else_is_refused() {
        for bad in ["Zg=", "Zg", "====", "Z===", "Zh==", "Zg==Zg==", "Z\u{e9}==", "Zm9v\n"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }
}
