package directive

import "testing"

func TestLookup(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		typ, section, name string
		ok                 bool
	}{
		{"service", "Service", "ExecStart", true},
		{"service", "Unit", "After", true},
		{"service", "Install", "WantedBy", true},
		{"timer", "Service", "ExecStart", false},
		{"target", "Unit", "Wants", true},
		{"target", "Target", "Wants", false},
		{"", "Mount", "What", true},
		{"service", "Service", "execstart", false},
		{"nonsense", "Unit", "After", false},
	} {
		if d, ok := Lookup(c.typ, c.section, c.name); ok != c.ok || ok && (d.Name != c.name || d.Section != c.section) {
			t.Errorf("Lookup(%q, %q, %q) = %v, %v", c.typ, c.section, c.name, d, ok)
		}
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		typ, name string
		sections  []string
	}{
		{"service", "ExecStart", []string{"Service"}},
		{"service", "StartLimitBurst", []string{"Unit", "Service"}},
		{"service", "FailureAction", []string{"Unit", "Service"}},
		{"socket", "Service", []string{"Socket"}},
		{"timer", "Unit", []string{"Timer"}},
		{"device", "After", []string{"Unit"}},
		{"slice", "MemoryMax", []string{"Slice"}},
		{"service", "Nonsense", nil},
	} {
		var got []string
		for _, d := range Find(c.typ, c.name) {
			got = append(got, d.Section)
		}
		if len(got) != len(c.sections) {
			t.Errorf("Find(%q, %q) = %v, want %v", c.typ, c.name, got, c.sections)
			continue
		}
		for i := range got {
			if got[i] != c.sections[i] {
				t.Errorf("Find(%q, %q) = %v, want %v", c.typ, c.name, got, c.sections)
			}
		}
	}
}

func TestSuggest(t *testing.T) {
	t.Parallel()
	for _, c := range [][3]string{
		{"service", "ExecStrat", "ExecStart"},
		{"service", "execstart", "ExecStart"},
		{"service", "Enviroment", "Environment"},
		{"service", "Desription", "Description"},
		{"timer", "OnCalender", "OnCalendar"},
		{"timer", "ExecStart", ""},
		{"service", "Xyzzy", ""},
		{"service", "", ""},
	} {
		if got := Suggest(c[0], c[1]); got != c[2] {
			t.Errorf("Suggest(%q, %q) = %q, want %q", c[0], c[1], got, c[2])
		}
	}
}

func TestKnownIn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		section, name string
		version       int
		known         bool
	}{
		{"Service", "RestartSteps", 253, false}, {"Service", "RestartSteps", 254, true},
		{"Service", "CPUShares", 257, true}, {"Service", "CPUShares", 258, false},
		{"Service", "ExecStart", 245, true}, {"Service", "PrivatePIDs", 256, false},
	} {
		d, ok := Lookup("", c.section, c.name)
		if !ok || d.KnownIn(c.version) != c.known {
			t.Errorf("%s in %d: want %v", c.name, c.version, c.known)
		}
	}
}

func TestSections(t *testing.T) {
	t.Parallel()
	if s := Sections("service"); len(s) != 3 || s[0] != "Unit" || s[1] != "Service" || s[2] != "Install" {
		t.Errorf("sections of a service: %v", s)
	}
	if s := Sections("target"); len(s) != 2 {
		t.Errorf("sections of a target: %v", s)
	}
	if s := Sections("nonsense"); s != nil {
		t.Errorf("sections of nonsense: %v", s)
	}
}

func FuzzSuggest(f *testing.F) {
	f.Add("service", "ExecStrat")
	f.Fuzz(func(t *testing.T, typ, name string) {
		if s := Suggest(typ, name); s != "" && len(Find(typ, s)) == 0 {
			t.Errorf("Suggest(%q, %q) = %q, which is no directive", typ, name, s)
		}
	})
}
