//! Tracks which parts of a pool are in use, without touching the pool.
//!
//! Sizes and positions are in [`UNIT`]s. The blocks cover the pool in order and without gaps, and no two adjacent
//! blocks are free. Allocations that may grow are placed from the start of the pool, all others from its end, so that
//! linear memory can mostly grow in place.

/// The granularity of a block's position and size in bytes.
pub(super) const UNIT: usize = 16;

/// The number of blocks by which the list grows when it is full: 768 bytes.
const STEP: usize = 64;

/// The blocks of a pool.
#[derive(Debug)]
pub(super) struct Blocks {
    blocks: Vec<Block>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Block {
    start: u32,
    size: u32,
    used: bool,
}

/// The end of the pool that an allocation is taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// For allocations that may grow.
    Front,
    /// For all others.
    Back,
}

impl Blocks {
    /// Returns the blocks of an empty pool of this many units.
    pub(super) fn new(units: u32) -> Self {
        Self { blocks: vec![Block { start: 0, size: units, used: false }] }
    }

    /// Takes this many units, at least one, and returns their position.
    pub(super) fn allocate(&mut self, size: u32, end: End) -> Option<u32> {
        let fits = |block: &Block| !block.used && block.size >= size;
        let at = match end {
            End::Front => self.blocks.iter().position(fits)?,
            End::Back => self.blocks.iter().rposition(fits)?,
        };
        let Block { start, size: free, .. } = self.blocks[at];
        if size == 0 || (free > size && !self.has_room()) {
            return None;
        }
        let start = if end == End::Front { start } else { start + (free - size) };
        self.carve(at, Block { start, size, used: true });
        Some(start)
    }

    /// Resizes an allocation in place; returns `false` if that is not possible.
    pub(super) fn resize(&mut self, start: u32, size: u32) -> bool {
        let Some(at) = self.find(start) else { return false };
        let old = self.blocks[at].size;
        let next = self.blocks.get(at + 1).filter(|next| !next.used).map_or(0, |next| next.size);
        if size == 0 || size > old + next || (next == 0 && size < old && !self.has_room()) {
            return false;
        }
        self.release(at);
        let at = self.blocks.partition_point(|block| block.start < start);
        // The block before it may be free too; then the two have been merged.
        let at = if self.blocks.get(at).is_some_and(|block| block.start == start) { at } else { at - 1 };
        self.carve(at, Block { start, size, used: true });
        true
    }

    /// Frees an allocation; any other position is ignored.
    pub(super) fn free(&mut self, start: u32) {
        if let Some(at) = self.find(start) {
            self.release(at);
        }
    }

    /// Returns the size of an allocation in units.
    pub(super) fn size(&self, start: u32) -> Option<u32> {
        Some(self.blocks[self.find(start)?].size)
    }

    /// Returns the number of units in use.
    pub(super) fn used(&self) -> usize {
        self.blocks.iter().filter(|block| block.used).map(|block| block.size as usize).sum()
    }

    /// Makes room for one more block; returns `false` if the system has no memory.
    fn has_room(&mut self) -> bool {
        self.blocks.len() < self.blocks.capacity() || self.blocks.try_reserve_exact(STEP).is_ok()
    }

    fn find(&self, start: u32) -> Option<usize> {
        let at = self.blocks.binary_search_by_key(&start, |block| block.start).ok()?;
        self.blocks[at].used.then_some(at)
    }

    /// Places a block in a free one.
    fn carve(&mut self, at: usize, block: Block) {
        let Block { start, size, .. } = self.blocks[at];
        let (before, after) = (block.start - start, start + size - (block.start + block.size));
        self.blocks[at] = block;
        if after > 0 {
            self.blocks.insert(at + 1, Block { start: block.start + block.size, size: after, used: false });
        }
        if before > 0 {
            self.blocks.insert(at, Block { start, size: before, used: false });
        }
    }

    /// Frees a block, and merges it with free neighbours.
    fn release(&mut self, at: usize) {
        self.blocks[at].used = false;
        if self.blocks.get(at + 1).is_some_and(|next| !next.used) {
            self.blocks[at].size += self.blocks.remove(at + 1).size;
        }
        if at > 0 && !self.blocks[at - 1].used {
            self.blocks[at - 1].size += self.blocks.remove(at).size;
        }
    }
}

#[cfg(test)]
mod tests;
