//! Names that keep a demangler busy for ever. In a program of its own: it leaves threads behind.

use oprof_symbolizer::demangle;

#[test]
fn names_that_never_end_are_given_up_and_the_rest_goes_on() {
    let endless = [32, 34].map(|depth| format!("_ZUlDT{}srUl", "nw".repeat(depth)));
    let ordinary = || demangle("_ZN5space3fooEv");

    assert_eq!(ordinary().as_deref(), Some("space::foo()"));
    assert_eq!(demangle(&endless[0]), None);
    assert_eq!(ordinary().as_deref(), Some("space::foo()"));
    assert_eq!(demangle(&endless[1]), None);
    assert_eq!(ordinary(), None, "the second was the last one");
    assert_eq!(demangle("_RNvC7mycrate3foo").as_deref(), Some("mycrate::foo"));
}
