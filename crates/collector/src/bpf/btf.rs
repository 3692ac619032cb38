//! Turns a description of types (BTF) into the names of functions: the kernel's Documentation/bpf/btf.rst.

/// The names of types by their numbers.
#[derive(Debug)]
pub(crate) struct Btf {
    bytes: Vec<u8>,
    /// Where the strings are in it.
    strings: usize,
    /// Of each type from number 1 on, where its name is among the strings.
    names: Vec<u32>,
}

impl Btf {
    /// `None` where it is none or damaged.
    pub(crate) fn parse(bytes: Vec<u8>) -> Option<Btf> {
        const MAGIC: u16 = 0xeb9f;
        let word = |at: usize| Some(u32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?));
        if u16::from_ne_bytes(*bytes.first_chunk()?) != MAGIC {
            return None;
        }
        // struct btf_header: magic, version, flags, hdr_len, type_off, type_len, str_off, str_len.
        let header = word(4)? as usize;
        let mut at = header.checked_add(word(8)? as usize)?;
        let end = at.checked_add(word(12)? as usize)?;
        let strings = header.checked_add(word(16)? as usize)?;
        let mut names = Vec::new();
        while at < end {
            // struct btf_type: name_off, info, size or type; what follows depends on the kind.
            let info = word(at + 4)?;
            names.push(word(at)?);
            let elements = (info & 0xffff) as usize;
            at += 12
                + match info >> 24 & 0x1f {
                    // BTF_KIND_INT, _VAR, _DECL_TAG
                    1 | 14 | 17 => 4,
                    // _ARRAY
                    3 => 12,
                    // _STRUCT, _UNION, _DATASEC, _ENUM64
                    4 | 5 | 15 | 19 => elements * 12,
                    // _ENUM, _FUNC_PROTO
                    6 | 13 => elements * 8,
                    // _PTR, _FWD, _TYPEDEF, _VOLATILE, _CONST, _RESTRICT, _FUNC, _FLOAT, _TYPE_TAG
                    2 | 7..=12 | 16 | 18 => 0,
                    _ => return None,
                };
        }
        Some(Btf { bytes, strings, names })
    }

    /// The name of a type; `None` where it has none.
    pub(super) fn name(&self, id: u32) -> Option<&[u8]> {
        let offset = *self.names.get(id.checked_sub(1)? as usize)? as usize;
        let name = self.bytes.get(self.strings.checked_add(offset)?..)?;
        let end = name.iter().position(|&byte| byte == 0)?;
        Some(&name[..end]).filter(|name| !name.is_empty())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A description of functions of these names, with numbers from 1 on, and a structure of two members behind them.
    pub(in super::super) fn of_functions(names: &[&str]) -> Vec<u8> {
        const FUNC: u32 = 12 << 24;
        const STRUCT: u32 = 4 << 24;
        let (mut types, mut strings) = (Vec::new(), vec![0_u8]);
        for name in names {
            [strings.len() as u32, FUNC, 0].iter().for_each(|word| types.extend(word.to_ne_bytes()));
            strings.extend(name.bytes().chain([0]));
        }
        [0, STRUCT | 2, 8, 0, 0, 0, 0, 0, 0].iter().for_each(|word: &u32| types.extend(word.to_ne_bytes()));
        [strings.len() as u32, FUNC, 0].iter().for_each(|word| types.extend(word.to_ne_bytes()));
        strings.extend(b"last\0");
        let mut bytes = 0xeb9f_u16.to_ne_bytes().to_vec();
        bytes.extend([1, 0]);
        let lengths = [24, 0, types.len() as u32, types.len() as u32, strings.len() as u32];
        lengths.iter().for_each(|word: &u32| bytes.extend(word.to_ne_bytes()));
        bytes.extend(types);
        bytes.extend(strings);
        bytes
    }

    #[test]
    fn functions_are_found_by_number_whatever_stands_between_them() {
        let btf = Btf::parse(of_functions(&["first", "second"])).expect("well formed");
        let name = |id| btf.name(id).map(|name| String::from_utf8_lossy(name).into_owned());
        assert_eq!(name(1).as_deref(), Some("first"));
        assert_eq!(name(2).as_deref(), Some("second"));
        assert_eq!(name(3), None, "a structure without a name");
        assert_eq!(name(4).as_deref(), Some("last"));
        assert_eq!((name(0), name(5), name(u32::MAX)), (None, None, None));
    }

    #[test]
    fn damage_does_no_harm() {
        let whole = of_functions(&["first", "second"]);
        for length in 0..whole.len() {
            let _ =
                Btf::parse(whole[..length].to_vec()).map(|btf| (1..9).filter_map(|id| btf.name(id)).count());
        }
        for at in 0..whole.len() {
            for value in [0, 0x7f, 0xff] {
                let mut bytes = whole.clone();
                bytes[at] = value;
                let _ = Btf::parse(bytes).map(|btf| (1..9).filter_map(|id| btf.name(id)).count());
            }
        }
        assert!(Btf::parse(Vec::new()).is_none());
    }
}
