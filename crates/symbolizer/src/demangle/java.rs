//! Turns the signature of a Java method into what its source has: `Ljava/lang/Foo;bar(I)V` into
//! `void java.lang.Foo.bar(int)`. Descriptors are those of the Java Virtual Machine Specification, section 4.3.

/// The method as its source has it; `None` where the name is no signature.
pub(super) fn demangle(name: &str) -> Option<String> {
    let (class, rest) = name.strip_prefix('L')?.split_once(';')?;
    let (method, rest) = rest.split_once('(')?;
    let (mut parameters, rest) = rest.split_once(')')?;
    let mut types: Vec<String> = Vec::new();
    while !parameters.is_empty() {
        types.push(take_type(&mut parameters)?);
    }
    let mut after = rest;
    let returned = take_type(&mut after)?;
    Some(format!("{returned} {}.{method}({}){after}", class.replace('/', "."), types.join(", ")))
}

/// The type at the beginning of a descriptor, which is taken off it.
fn take_type(descriptor: &mut &str) -> Option<String> {
    let element = descriptor.trim_start_matches('[');
    let dimensions = descriptor.len() - element.len();
    let mut characters = element.chars();
    let (name, rest) = match characters.next()? {
        'L' => {
            let (class, rest) = characters.as_str().split_once(';')?;
            (class.replace('/', "."), rest)
        }
        letter => (primitive(letter)?.to_owned(), characters.as_str()),
    };
    *descriptor = rest;
    // The specification allows no more; a name with many brackets would else become much longer.
    (dimensions <= 255).then(|| name + &"[]".repeat(dimensions))
}

fn primitive(letter: char) -> Option<&'static str> {
    Some(match letter {
        'B' => "byte",
        'C' => "char",
        'D' => "double",
        'F' => "float",
        'I' => "int",
        'J' => "long",
        'S' => "short",
        'V' => "void",
        'Z' => "boolean",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::demangle;

    #[test]
    fn signatures_become_methods() {
        for (signature, method) in [
            ("Ljava/lang/Foo;bar(I)V", "void java.lang.Foo.bar(int)"),
            ("Ltest;f2(II)V~1", "void test.f2(int, int)~1"),
            ("LA;g([[JLjava/lang/String;Z)[B", "byte[] A.g(long[][], java.lang.String, boolean)"),
        ] {
            assert_eq!(demangle(signature).as_deref(), Some(method));
        }
    }

    #[test]
    fn other_names_are_none() {
        for name in ["", "L", "Lines", "L;", "La;b", "La;b(", "La;b(Q)V", "La;b(I)", "La;b(L)V", "La;b([)V"] {
            assert_eq!(demangle(name), None, "{name}");
        }
        assert_eq!(demangle(&format!("La;b({}I)V", "[".repeat(300))), None);
    }
}
