package dev.holdfast.json;

import com.fasterxml.jackson.core.util.BufferRecycler;
import com.fasterxml.jackson.core.util.RecyclerPool;

/** Jackson's buffers in a {@link Pool}; its own pools are one queue for all threads. */
final class PooledRecyclers implements RecyclerPool<BufferRecycler> {

  private static final long serialVersionUID = 1;

  private final transient Pool<BufferRecycler> pool = new Pool<>();

  @Override
  public BufferRecycler acquirePooled() {
    BufferRecycler kept = pool.take();
    return kept == null ? new BufferRecycler() : kept;
  }

  @Override
  public void releasePooled(BufferRecycler recycler) {
    pool.give(recycler);
  }
}
