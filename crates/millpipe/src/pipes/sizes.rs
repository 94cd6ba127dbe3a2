//! How much is read, buffered and queued at once.

/// One read of the input: small enough for the cache, as large as a pipe gives at once.
pub const CHUNK_BYTES: usize = 64 * 1024;
/// The most that --chunk is good for.
pub(crate) const CHUNK_BYTES_MAX: usize = 16 * CHUNK_BYTES;

/// One read of a flooded pipe.
pub(crate) const FLOOD_CHUNK_BYTES: usize = 2 * CHUNK_BYTES;

/// What a flooded pipe holds. The kernel lets any user have up to 1 MiB, and 64 MiB in all pipes.
pub(crate) const FLOOD_PIPE_BYTES: usize = 8 * CHUNK_BYTES;

/// Chunks that may wait in each channel of a threaded stage: with [`CHUNK_BYTES`] this bounds its memory.
pub const CHANNEL_CHUNKS: usize = 4;
