/** A functions app with every pattern of Durable Functions that scenarios need. It knows nothing of the engines. */
import './activities.ts';
import './moments.ts';
import './orchestrators.ts';
import './patterns.ts';
import './http.ts';
