import { memoryStore } from '../../lib/store/memory.ts';
import { objectStoreContract } from './contract.ts';

objectStoreContract('the memory store', () => memoryStore('contract'));
