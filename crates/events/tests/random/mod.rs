//! Random events, the same in each run.

/// A generator of numbers (xorshift64).
pub(crate) struct Random(u64);

impl Random {
    /// Begins with a number other than 0.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below this one.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// A position in a list of this length.
    pub(crate) fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).expect("it fits")
    }

    /// Terms for some of the fields, which are given as names with their bits: `event:8 inv:1`. The first is among them.
    pub(crate) fn terms(&mut self, fields: &str) -> String {
        let mut terms = Vec::new();
        for field in fields.split(' ') {
            let (name, bits) = field.split_once(':').expect("a field with its bits");
            let largest = u64::MAX >> (64 - bits.parse::<u32>().expect("a number of bits"));
            if terms.is_empty() || self.below(2) == 0 {
                let value = self.next() & largest;
                terms.push(if largest == 1 { name.to_owned() } else { format!("{name}={value:#x}") });
            }
        }
        terms.join(",")
    }

    /// Modifiers, or none.
    pub(crate) fn modifiers(&mut self) -> &'static str {
        const MODIFIERS: [&str; 8] = ["", "", "u", "k", "uk", "p", "upp", "kppp"];
        MODIFIERS[self.index(MODIFIERS.len())]
    }
}
