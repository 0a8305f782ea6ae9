package diag

import "testing"

func TestID(t *testing.T) {
	for _, x := range []struct {
		severity Severity
		code, id string
	}{
		{Error, "E1061", "E1061"}, {Warning, "E1061", "W1061"}, {Advice, "E1061", "A1061"},
		{Warning, "W0609", "W0609"}, {Warning, "E0501", "E0501"}, {Error, "", ""},
	} {
		d := &Diagnostic{Severity: x.severity, Code: x.code}
		if got := d.ID(); got != x.id {
			t.Errorf("%s of %q: %q, want %q", x.severity, x.code, got, x.id)
		}
	}
	for code, summary := range map[string]string{"w1061": "Missing required unit", "E1061": "Missing required unit", "W0501": "Directive is deprecated", "E0501": "Unknown directive"} {
		if p := PageOf(code); p == nil || p.Summary != summary {
			t.Errorf("%s: %v", code, p)
		}
	}
	if PageOf("W9999") != nil {
		t.Error("W9999 has a page")
	}
}
