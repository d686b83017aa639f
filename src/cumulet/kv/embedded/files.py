"""The folder of an embedded store: its marker, its lock and how RocksDB is set up in it."""

from __future__ import annotations

import os
from pathlib import Path

from rocksdict import (
    BlockBasedIndexType,
    BlockBasedOptions,
    Cache,
    DBCompressionType,
    DBRecoveryMode,
    Options,
    Rdict,
)

from cumulet.kv.contract import Unavailable
from cumulet.kv.embedded.tail import is_torn_tail

FORMAT = 1
"""The layout of the folder that this release writes."""

MARKER = "FORMAT"
DATA = "rocks"

WRITE_BUFFER_BYTES = 8 << 20
BLOCK_CACHE_BYTES = 32 << 20
"""Filled as data is read, so that an idle cloud has little of it."""

METADATA_BLOCK_BYTES = 4_096
"""Filters and indexes in pieces. The index of a full file has some 0.8 MB, more than fits into a
part of those that the cache is made of: in one piece, it was read anew for every key."""

WAL_BYTES_MAX = 64 << 20
TABLE_FILE_BYTES = 16 << 20
"""Small files, so that merging a short stretch rewrites little."""

OPEN_FILES_MAX = 256
LOG_BYTES_MAX = 1 << 20
LOGS_KEPT = 2


class InUse(Unavailable):
    """Another process has the folder open."""


class Damaged(Unavailable):
    """The folder cannot be read back whole: restore a backup rather than lose writes silently."""


def open_rocks(folder: Path) -> Rdict:
    """Open the data in `folder`, making it when there is none.

    Raises InUse, Damaged and Unavailable.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _check_marker(folder)
    except OSError as error:
        raise Unavailable(f"{folder} cannot be used: {error}") from error
    data = folder / DATA
    is_new = not (data / "CURRENT").exists()
    try:
        opened = _open_data(data)
    except Exception as error:
        raise _explained(folder, error) from error
    if is_new:
        write_marker(folder)
    return opened


def _open_data(data: Path) -> Rdict:
    # A record cut short at the end of the log was never answered and is dropped. Whatever does not
    # check is refused: the other modes would drop answered writes behind it without a word.
    strict = DBRecoveryMode.tolerate_corrupted_tail_records()
    try:
        return Rdict(str(data), _options(strict))
    except Exception as error:
        # Bytes of a last, unsynced write may also come out wrong when the power fails.
        if "Corruption" not in str(error) or not is_torn_tail(data):
            raise
        return Rdict(str(data), _options(DBRecoveryMode.point_in_time()))


def _check_marker(folder: Path) -> None:
    marker = folder / MARKER
    if not marker.exists():
        if (folder / DATA / "CURRENT").exists() and any((folder / DATA).glob("*.sst")):
            raise Damaged(f"{folder} holds data without its {MARKER} file")
        return
    words = marker.read_text().split()
    if len(words) != 2 or words[0] != "cumulet-kv" or not words[1].isdecimal():
        raise Damaged(f"{marker} is not a marker of this program")
    if int(words[1]) > FORMAT:
        raise Unavailable(
            f"{folder} was written by a later release (format {words[1]}; this one reads {FORMAT})"
        )


def write_marker(folder: Path) -> None:
    """Mark a folder as holding a store of this format, durably."""
    part = folder / f"{MARKER}.part"
    with part.open("w") as file:
        file.write(f"cumulet-kv {FORMAT}\n")
        file.flush()
        os.fsync(file.fileno())
    part.replace(folder / MARKER)
    for place in (folder, folder.parent):
        sync_folder(place)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _explained(folder: Path, error: Exception) -> Unavailable:
    text = str(error)
    if "LOCK" in text and "lock" in text:
        return InUse(f"{folder} is in use by another process")
    if "Corruption" in text:
        return Damaged(f"{folder} is damaged: {text}")
    return Unavailable(f"{folder} cannot be opened: {text}")


def _options(recovery: DBRecoveryMode) -> Options:
    """Small and bounded: about ten megabytes when idle, and few threads."""
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.set_write_buffer_size(WRITE_BUFFER_BYTES)
    options.set_max_write_buffer_number(3)
    options.set_target_file_size_base(TABLE_FILE_BYTES)
    options.set_max_total_wal_size(WAL_BYTES_MAX)
    options.set_max_background_jobs(2)
    options.set_max_open_files(OPEN_FILES_MAX)
    options.set_keep_log_file_num(LOGS_KEPT)
    options.set_max_log_file_size(LOG_BYTES_MAX)
    options.set_stats_dump_period_sec(0)
    options.set_stats_persist_period_sec(0)
    options.set_compression_type(DBCompressionType.lz4())
    options.set_level_compaction_dynamic_level_bytes(True)
    options.set_wal_recovery_mode(recovery)
    blocks = BlockBasedOptions()
    blocks.set_block_cache(Cache(BLOCK_CACHE_BYTES))
    blocks.set_bloom_filter(10, False)
    blocks.set_index_type(BlockBasedIndexType.two_level_index_search())
    blocks.set_partition_filters(True)
    blocks.set_metadata_block_size(METADATA_BLOCK_BYTES)
    blocks.set_pin_top_level_index_and_filter(True)
    blocks.set_cache_index_and_filter_blocks(True)
    blocks.set_pin_l0_filter_and_index_blocks_in_cache(True)
    options.set_block_based_table_factory(blocks)
    return options
