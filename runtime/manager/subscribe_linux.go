package manager

import (
	"sync"

	us "github.com/unitgen/unitgen/runtime/unitstate"
)

// subscriber gets events on a goroutine of its own; what it has not taken yet
// waits without holding anybody up.
type subscriber struct {
	mu    sync.Mutex
	cond  *sync.Cond
	queue []us.Event
	gone  bool
}

// Subscribe delivers events until cancel is called or the manager ended.
func (m *Manager) Subscribe(f func(us.Event)) (cancel func()) {
	s := &subscriber{}
	s.cond = sync.NewCond(&s.mu)
	id := 0
	if m.call(func() { m.nextID++; id = m.nextID; m.subs[id] = s }) != nil {
		s.queue = append(s.queue, us.Event{Kind: us.ManagerEnded})
	}
	go func() {
		for {
			s.mu.Lock()
			for len(s.queue) == 0 && !s.gone {
				s.cond.Wait()
			}
			q := s.queue
			s.queue = nil
			gone := s.gone
			s.mu.Unlock()
			if gone && len(q) == 0 {
				return
			}
			for _, e := range q {
				f(e)
				if e.Kind == us.ManagerEnded {
					return
				}
			}
		}
	}()
	return func() {
		m.post(func() { delete(m.subs, id) })
		s.mu.Lock()
		s.gone, s.queue = true, nil
		s.cond.Signal()
		s.mu.Unlock()
	}
}

func (m *Manager) send(e us.Event) {
	for _, s := range m.subs {
		s.mu.Lock()
		s.queue = append(s.queue, e)
		s.cond.Signal()
		s.mu.Unlock()
	}
}
