//! Sets of columns: what is done with each of them in the same way.

/// Makes columns of a list of them, and what is done with each of them in the same way.
macro_rules! columns {
    ($all:ident, $widths:ident, $($name:ident: $column:ty, $width:ty;)*) => {
        /// How many states of each kind a group has.
        #[derive(Clone, Copy, Debug, Default, PartialEq)]
        pub(crate) struct $widths {
            $(pub $name: $width,)*
        }

        /// The states of many groups, numbered from zero.
        #[derive(Clone, Debug)]
        pub(crate) struct $all {
            $(pub $name: $column,)*
        }

        impl $all {
            pub fn new(widths: &$widths) -> $all {
                $all { $($name: <$column>::new(widths.$name),)* }
            }

            /// Adds an empty group.
            pub fn push(&mut self) {
                $(self.$name.push();)*
            }

            /// Makes room for so many more groups at once.
            pub fn reserve(&mut self, groups: usize) {
                $(self.$name.reserve(groups);)*
            }

            /// Makes a group empty again.
            pub fn reset(&mut self, group: usize) {
                $(self.$name.reset(group);)*
            }

            /// Swaps a group with the one of columns that have no other.
            pub fn exchange(&mut self, group: usize, other: &mut $all) {
                $(self.$name.exchange(group, &mut other.$name);)*
            }

            /// Returns what a group takes in the columns, in bytes.
            pub fn bytes_per_group(&self) -> usize {
                0 $(+ self.$name.bytes_per_group())*
            }

            /// Returns what all states take beside the columns, in bytes, about.
            pub fn heap_bytes(&self) -> usize {
                0 $(+ self.$name.heap_bytes())*
            }

            /// Appends the states of a group, each kind as a member with a comma before it.
            pub fn save(&self, group: usize, out: &mut Vec<u8>) {
                $(self.$name.save(group, out);)*
            }

            /// Reads what `save` wrote.
            ///
            /// # Errors
            /// States of other results, or damaged ones. The group is then of no use.
            pub fn load(
                &mut self,
                group: usize,
                from: &mut StateReader<'_>,
                settings: &Settings,
            ) -> Result<(), SnapshotError> {
                $(self.$name.load(group, from, settings)?;)*
                Ok(())
            }
        }
    };
}

pub(crate) use columns;
